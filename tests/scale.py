"""How large a test is: a taste in the suite, and as much as the proof asks for under `make prove`.

Tests whose size is `scaled` carry the mark `more`: `make prove` runs them beside those that are marked `prove`.
"""

import os
from typing import Final

PROVING: Final = os.environ.get("TALENTPOOL_PROVE") == "1"
HOUR: Final = 3_600
"""Seconds that a test of this size may take under `make prove`."""


def scaled(suite: int, proof: int) -> int:
    """Return how many of something a test takes: in the suite, or for the proof."""
    return proof if PROVING else suite
