"""Files of other columns: trained by their recipe without looking at the truth, scored by our own scorer."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import duckdb
from splink import DuckDBAPI, Linker

from app.dedup.model import CAP, Model, read_model
from app.training.kinds import KINDS, Values, conditions
from app.training.measure import Scored, Truth
from app.training.recipes import Compared, Recipe
from app.training.train import bounded_weight

_RANDOM_PAIRS: Final = 1e7


@dataclass(frozen=True)
class Foreign:
    """One or two files in the tables `file_0` and `file_1` of a connection, read by a recipe."""

    connection: duckdb.DuckDBPyConnection
    recipe: Recipe
    tables: Sequence[str]

    @classmethod
    def read(
        cls, connection: duckdb.DuckDBPyConnection, raw: Sequence[str], recipe: Recipe, truth: str | None
    ) -> "Foreign":
        """Read loaded tables by a recipe; `truth` is a column that takes the place of the recipe's."""
        first = 0
        for number, table in enumerate(raw):
            shown = ", ".join(
                f"{_first_valid(connection, table, tried)} as {name}" for name, tried in recipe.columns.items()
            )
            connection.execute(
                f"""create table file_{number} as select {first} + row_number() over () - 1 as record_id,
                {number} as file, {truth or recipe.truth} as truth, {shown} from {table}"""
            )
            first += connection.table(table).shape[0]
        return cls(connection, recipe, [f"file_{number}" for number in range(len(raw))])

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def most(self) -> int:
        return self.recipe.most_members

    @cached_property
    def truth(self) -> Truth:
        rows = self._all("truth, file")
        return Truth([truth for truth, _ in rows], [file for _, file in rows])

    def _all(self, columns: str) -> list[tuple[Any, ...]]:
        every = " union all ".join(f"select * from {table}" for table in self.tables)
        return self.connection.execute(f"select {columns} from ({every}) order by record_id").fetchall()

    def settings(self) -> dict[str, Any]:
        """Return Splink's settings, not yet trained."""
        return {
            "link_type": "dedupe_only" if len(self.tables) == 1 else "link_only",
            "unique_id_column_name": "record_id",
            "source_dataset_column_name": "file",
            "retain_matching_columns": False,
            "blocking_rules_to_generate_predictions": [_rule(key) for key in self.recipe.keys],
            "comparisons": [self._comparison(name) for name in self.recipe.comparisons],
        }

    def _comparison(self, name: str) -> dict[str, Any]:
        compared = self.recipe.comparisons[name]
        kind = KINDS[compared.kind]
        missing, *levels = conditions(kind, compared.columns).items()
        counted = {rung.name: compared.columns[rung.counted] for rung in kind.rungs if rung.counted is not None}
        return {
            "output_column_name": name,
            "comparison_levels": [
                {"sql_condition": missing[1], "label_for_charts": missing[0], "is_null_level": True},
                *(
                    {"sql_condition": sql, "label_for_charts": level, **_counting(counted.get(level))}
                    for level, sql in levels
                ),
            ],
        }

    def linker(self, settings: Mapping[str, Any]) -> Linker:
        api = DuckDBAPI(connection=self.connection)
        return Linker([api.register(table) for table in self.tables], dict(settings))

    def shipped(self) -> None:
        """No model ships for other columns."""

    def contradict(self, left: Sequence[int], right: Sequence[int]) -> bool:  # noqa: ARG002 (as of any source)
        """Nothing in other columns excludes anything."""
        return False

    def train(self, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
        """Return the trained model; its levels have the bounds of the tenants' model."""
        say(f"Training by the recipe {self.name}: {self.recipe.tuned_on}")
        linker = self.linker(self.settings())
        training = linker.training
        training.estimate_probability_two_random_records_match(
            [_rule(key) for key in self.recipe.sure], recall=self.recipe.recall
        )
        training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=seed)
        for key in self.recipe.learning:
            training.estimate_parameters_using_expectation_maximisation(
                _rule(key), estimate_without_term_frequencies=True
            )
        return _bounded(linker.misc.save_model_to_json())

    def shares(self, model: Model) -> dict[tuple[str, str], float]:
        """Return (column, value) → its share of the records that show the column, for all columns that count."""
        columns = {weight.counted for weight in model.weights.values() if weight.counted}
        every = " union all ".join(f"select * from {table}" for table in self.tables)
        found: dict[tuple[str, str], float] = {}
        for column in sorted(columns):
            rows = self.connection.execute(
                f"""select {column}, count(*) / sum(count(*)) over () from ({every})
                where {column} is not null group by {column}"""
            ).fetchall()
            found |= {(column, value): share for value, share in rows}
        return found

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs under any key of the recipe, each once."""
        left, right = self.tables[0], self.tables[-1]
        order = "l.record_id < r.record_id" if left == right else "true"
        rules = " union ".join(
            f"select l.record_id, r.record_id from {left} as l join {right} as r on {_rule(key)} where {order}"
            for key in self.recipe.keys
        )
        yield from self.connection.execute(rules).fetchall()

    def score(self, stated: Mapping[str, Any]) -> Iterator[Scored]:
        """Yield the weight of every pair by our own scorer, the prior with it."""
        model = read_model(stated, self.recipe.name)
        prior = prior_bits(stated)
        scorers = [_Scorer(name, each, model, self.shares(model)) for name, each in self.recipe.comparisons.items()]
        columns = list(self.recipe.columns)
        rows = [dict(zip(columns, row, strict=True)) for row in self._all(", ".join(columns))]
        shown = [[scorer.values(row) for scorer in scorers] for row in rows]
        for left, right in self.pairs():
            compared = zip(scorers, shown[left], shown[right], strict=True)
            yield Scored(left, right, prior + sum(scorer.bits(a, b) for scorer, a, b in compared))

    def score_by_splink(self, stated: Mapping[str, Any]) -> Iterator[Scored]:
        """Yield the weight that Splink gives to the same pairs by the same model."""
        predicted = self.linker(stated).inference.predict().physical_name
        rows = self.connection.execute(f"select record_id_l, record_id_r, match_weight from {predicted}").fetchall()
        for left, right, weight in rows:
            yield Scored(min(left, right), max(left, right), weight)


@dataclass(slots=True)
class _Scorer:
    """One comparison of our own scorer; `shares` are those of values by (column, value)."""

    name: str
    compared: Compared
    model: Model
    shares: Mapping[tuple[str, str], float]

    def values(self, row: Mapping[str, str | None]) -> Values:
        return tuple(row[column] for column in self.compared.columns)

    def bits(self, left: Values, right: Values) -> float:
        level = KINDS[self.compared.kind].level(left, right)
        if level is None:
            return 0.0
        weight = self.model.weights[self.name, level]
        if weight.counted is None:
            return weight.bits
        at = self.compared.columns.index(weight.counted)
        shares = (self.shares[weight.counted, value] for value in (left[at], right[at]) if value is not None)
        return weight.at(max(shares, default=None))


def prior_bits(stated: Mapping[str, Any]) -> float:
    """Return the bits of a model's own prior."""
    share: float = stated["probability_two_random_records_match"]
    return math.log2(share / (1 - share))


def _first_valid(connection: duckdb.DuckDBPyConnection, table: str, tried: Sequence[str]) -> str:
    """Return the first expression that the table's columns allow; the last one if none does."""
    for expression in tried[:-1]:
        try:
            connection.execute(f"select {expression} from {table} limit 0")
        except duckdb.BinderException:
            continue
        return expression
    return tried[-1]


def _rule(key: Sequence[str]) -> str:
    return " and ".join(f'l."{column}" = r."{column}"' for column in key)


def _counting(column: str | None) -> dict[str, Any]:
    return {"tf_adjustment_column": column, "disable_tf_exact_match_detection": True} if column else {}


def _bounded(model: dict[str, Any]) -> dict[str, Any]:
    """Hold each weight between FLOOR and CAP; a level that no pair met weighs nothing."""
    for comparison in model["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level.get("is_null_level"):
                continue
            m, u = bounded_weight(level.get("m_probability"), level.get("u_probability"))
            level |= {"m_probability": m, "u_probability": u}
            if "tf_adjustment_column" in level:
                level["tf_minimum_u_value"] = m * 2.0**-CAP
    return model
