"""The cycle collector of a process that serves: rare, and blind to what lives as long as the process.

Rows that are read and written are many and hold no cycles; with CPython's own thresholds looking through them again
and again costs a fifth of an import.
"""

import gc
from typing import Final

YOUNG: Final = 20_000
MIDDLE: Final = 20
OLD: Final = 20
"""Allocations until the young are looked at, and how many rounds of one generation make one of the next."""


def settle() -> None:
    """Call once everything is loaded: what is there now is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
