"""Files of candidates: rows as payloads of POST /v1/candidates, judged by the tenants' model and rules."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from splink import Linker

from app.dedup.model import Model, prior
from app.dedup.rules import Knowledge, contradict, judge_records
from app.dedup.sides import COUNTED
from app.training.columns import prepare
from app.training.corpus import Corpus
from app.training.engine import Engine
from app.training.measure import Scored
from app.training.settings import KEY_RULE

_BETWEEN: Final = re.compile(r"[;|、\n]\s*")
_LISTS: Final[Mapping[str, str]] = {"email_addresses": "value", "phone_numbers": "value", "links": "url"}
"""Fields of several values, and the name of the value within one."""

FIELDS: Final = frozenset(
    {"full_name", "family_name", "given_name", "full_name_kana", "family_name_kana", "given_name_kana"}
    | {"family_name_romaji", "given_name_romaji", "birth_date", "current_company", *_LISTS}
)
"""Fields of a candidate that matching reads."""


def payloads(rows: Iterable[Sequence[str | None]], fields: Sequence[str | None]) -> Iterator[dict[str, Any]]:
    """Yield a payload for each row; `fields` names the field of each column, None leaves the column out.

    Several values in one cell stand between semicolons or bars.
    """
    for row in rows:
        payload: dict[str, Any] = {}
        for field, cell in zip(fields, row, strict=True):
            if field is None or cell is None:
                continue
            if name := _LISTS.get(field):
                payload.setdefault(field, []).extend({name: value} for value in _BETWEEN.split(cell) if value)
            else:
                payload.setdefault(field, cell)
        yield payload


@dataclass(frozen=True)
class PeopleFile:
    """Candidates as if they were one tenant's pool, each record a candidate of its own."""

    corpus: Corpus
    stated: Mapping[str, Any]
    """The model as JSON for Splink."""

    def knowledge(self, model: Model) -> Knowledge:
        return self.corpus.knowledge(model)

    def score(self, model: Model) -> Iterator[Scored]:
        """Yield the weight of every pair that shares a key, and whether the rules would link it."""
        known = self.knowledge(model)
        for left, right in self.corpus.pairs():
            found = judge_records(self.corpus.side(left), self.corpus.side(right), known)
            yield Scored(left, right, found.weight, found.decision == "same")

    def contradict(self, left: Sequence[int], right: Sequence[int]) -> bool:
        """Whether any record of one component excludes one of the other."""
        return any(contradict(self.corpus.side(a), self.corpus.side(b)) for a in left for b in right)

    def score_by_splink(self, connection: duckdb.DuckDBPyConnection) -> Iterator[Scored]:
        """Yield the weights that Splink gives to the same pairs by the same model and frequencies."""
        linker = self.linker(connection)
        predicted = linker.inference.predict().physical_name
        rows = connection.execute(
            f"select record_id_l::bigint, record_id_r::bigint, match_weight from {predicted}"
        ).fetchall()
        for left, right, weight in rows:
            yield Scored(min(left, right), max(left, right), weight)

    def linker(self, connection: duckdb.DuckDBPyConnection) -> Linker:
        """Return Splink with these records, the model, and what is known of their values."""
        connection.register("features", self.corpus.table)
        prepare(connection, "features", "people", generic=self.corpus.generic, kept=["keys"])
        odds = 2.0 ** prior(len(self.corpus.statements))
        stated = {
            **self.stated,
            "blocking_rules_to_generate_predictions": [KEY_RULE],
            "probability_two_random_records_match": odds / (1 + odds),
            "retain_intermediate_calculation_columns": True,
        }
        api = Engine(connection=connection)
        linker = Linker(api.register("people"), stated)
        for column in COUNTED:
            shares = self.corpus.shares(column)
            rows = [{column: value, f"tf_{column}": share} for value, share in shares.items()]
            linker.table_management.register_term_frequency_lookup(api.register(rows), column)
        return linker
