"""Files of candidates: rows as payloads of POST /v1/candidates, judged by the tenants' model and rules."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb
from splink import Linker

from app.dedup.components import MOST_MEMBERS
from app.dedup.model import prior, read_model
from app.dedup.rules import Policy, contradict, judge_records
from app.dedup.sides import COUNTED
from app.kit import json
from app.normalise.dates import parse_date
from app.training.columns import prepare
from app.training.corpus import Corpus
from app.training.engine import Engine
from app.training.measure import Scored, Truth
from app.training.settings import KEY_RULE
from app.training.train import DEFAULT, train

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
        for named, cell in zip(fields, row, strict=True):
            if named is None or cell is None:
                continue
            if name := _LISTS.get(named):
                payload.setdefault(named, []).extend({name: value} for value in _BETWEEN.split(cell) if value)
            elif value := _day(cell) if named == "birth_date" else cell:
                payload.setdefault(named, value)
        yield payload


def _day(cell: str) -> str | None:
    """Return a day as ISO 8601 writes it; what is no day says nothing."""
    try:
        return parse_date(cell).isoformat()
    except ValueError:
        return None


@dataclass(frozen=True)
class PeopleFile:
    """Candidates as if they were one tenant's pool, each record a candidate of its own."""

    connection: duckdb.DuckDBPyConnection
    corpus: Corpus
    truth: Truth
    name: str = "candidates"
    most: int = MOST_MEMBERS
    policy: Policy = field(default_factory=Policy)

    def train(self, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
        return train(self.corpus, seed, say)

    def shipped(self) -> dict[str, Any]:
        """Return the model that every tenant has."""
        stored: dict[str, Any] = json.loads(DEFAULT.read_bytes())
        return stored

    def score(self, stated: Mapping[str, Any]) -> Iterator[Scored]:
        """Yield the weight of every pair that shares a key, and whether the rules would link it."""
        known = self.corpus.knowledge(read_model(stated, self.name), self.policy)
        for left, right in self.corpus.pairs():
            found = judge_records(self.corpus.side(left), self.corpus.side(right), known)
            yield Scored(left, right, found.weight, found.decision == "same")

    def contradict(self, left: Sequence[int], right: Sequence[int]) -> bool:
        """Whether any record of one component excludes one of the other."""
        return any(contradict(self.corpus.side(a), self.corpus.side(b)) for a in left for b in right)

    def score_by_splink(self, stated: Mapping[str, Any]) -> Iterator[Scored]:
        """Yield the weights that Splink gives to the same pairs by the same model and frequencies."""
        predicted = self.linker(stated).inference.predict().physical_name
        rows = self.connection.execute(
            f"select record_id_l::bigint, record_id_r::bigint, match_weight from {predicted}"
        ).fetchall()
        for left, right, weight in rows:
            yield Scored(min(left, right), max(left, right), weight)

    def linker(self, stated: Mapping[str, Any]) -> Linker:
        """Return Splink with these records, the model, and what is known of their values."""
        self.connection.register("features", self.corpus.table)
        prepare(
            self.connection,
            "features",
            "people",
            generic=self.corpus.generic,
            unique_sources=self.policy.unique_sources,
            kept=["keys"],
        )
        odds = 2.0 ** prior(len(self.corpus.statements))
        settings = {
            **stated,
            "blocking_rules_to_generate_predictions": [KEY_RULE],
            "probability_two_random_records_match": odds / (1 + odds),
            "retain_intermediate_calculation_columns": True,
        }
        api = Engine(connection=self.connection)
        linker = Linker(api.register("people"), settings)
        for column in COUNTED:
            rows = [{column: value, f"tf_{column}": share} for value, share in self.corpus.shares(column).items()]
            linker.table_management.register_term_frequency_lookup(api.register(rows), column)
        return linker
