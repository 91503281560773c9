"""A pool as it is copied for a bulk engine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

DELIMITER: Final = "\t"
QUOTE: Final = "\x01"
"""Neither stands in JSON, which then needs no quotes around it: most of what is copied is JSON."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A folder with the flat features of all live candidates and the counts that the doors have kept, as CSV files.

    Both are as they were at one moment. `secret` is the tenant's, under which the counted values are hashed.
    """

    folder: Path
    secret: bytes

    @property
    def features(self) -> Path:
        return self.folder / "features.csv"

    @property
    def counts(self) -> Path:
        return self.folder / "counts.csv"
