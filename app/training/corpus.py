"""Records in memory as both engines read them: their features, their keys, and what is known of their values."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pyarrow as pa

from app.candidates.features import Features, read_features
from app.dedup.frequencies import share
from app.dedup.model import Model, frequency
from app.dedup.pool import GENERIC_FROM, SHARED, Keyed, are_many, keyed
from app.dedup.rules import Knowledge, Policy
from app.dedup.sides import COUNTED, Side
from app.training.columns import features_table

_SECRET: Final = bytes(16)
"""Keys of files are hashed to be short, not to be kept secret: they never leave the process."""

MOST_OF_A_KEY: Final = 200
"""So many records under one key are compared with each other; a key of more tells nothing."""

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Corpus:
    """Records by their position; each stands for a candidate of its own."""

    statements: tuple[Keyed, ...]

    @classmethod
    def of_payloads(cls, payloads: Iterable[Payload], region: str = "JP") -> "Corpus":
        """Normalise payloads of POST /v1/candidates; `region` is where phones are dialled without a country code."""
        return cls.of_features(read_features(payload, region) for payload in payloads)

    @classmethod
    def of_features(cls, features: Iterable[Features]) -> "Corpus":
        return cls(tuple(keyed(each, _SECRET) for each in features))

    def side(self, record: int) -> Side:
        return self.statements[record].side

    @cached_property
    def table(self) -> pa.Table:
        """FEATURES with the column `keys`; a record's id is its position."""
        keys = [
            [int.from_bytes(hashed, signed=True) for _, hashed in each.keys if hashed not in self._crowded]
            for each in self.statements
        ]
        features = features_table((str(record), each.side) for record, each in enumerate(self.statements))
        return features.append_column("keys", pa.array(keys, pa.list_(pa.int64())))

    @cached_property
    def generic(self) -> frozenset[str]:
        """Match keys of contacts that four records with pairwise different names share, as the door counts them."""
        holders: dict[tuple[str, str], list[Side]] = {}
        for each in self.statements:
            for key, _ in each.keys:
                if key.kind in SHARED:
                    holders.setdefault(key, []).append(each.side)
        crowds = ((value, sides) for (_, value), sides in holders.items() if len(sides) >= GENERIC_FROM)
        return frozenset(value for value, sides in crowds if are_many([side] for side in sides))

    @cached_property
    def _by_key(self) -> Mapping[bytes, list[int]]:
        found: dict[bytes, list[int]] = {}
        for record, each in enumerate(self.statements):
            for key, hashed in each.keys:
                if key.value not in self.generic:
                    found.setdefault(hashed, []).append(record)
        return found

    @cached_property
    def _crowded(self) -> frozenset[bytes]:
        return frozenset(hashed for hashed, records in self._by_key.items() if len(records) > MOST_OF_A_KEY)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield each pair of records that share a key, the earlier record first, once."""
        by_key = {hashed: records for hashed, records in self._by_key.items() if hashed not in self._crowded}
        for record, each in enumerate(self.statements):
            others = {other for _, hashed in each.keys for other in by_key.get(hashed, ()) if other > record}
            for other in sorted(others):
                yield record, other

    @cached_property
    def holders(self) -> Counter[tuple[str, str]]:
        """How many records hold each counted (column, value)."""
        return Counter(counted for each in self.statements for counted, _ in each.counted)

    def shares(self, column: str) -> dict[str, float]:
        """Return value → share of a pool of these records, the shipped frequencies among them."""
        pool = len(self.statements)
        return {
            value: frequency(held, share(of, value), pool) for (of, value), held in self.holders.items() if of == column
        }

    def knowledge(self, model: Model, policy: Policy) -> Knowledge:
        """Return what the rules ask for, as if these records were a tenant's pool."""
        known = Knowledge(policy=policy, model=model, pool=len(self.statements), generic=set(self.generic))
        known.holders.update(self.holders)
        known.shipped.update({each: share(*each) for each in self.holders if each[0] in COUNTED})
        return known


def pairs_of(many: int) -> int:
    """Return how many pairs so many records make."""
    return many * (many - 1) // 2
