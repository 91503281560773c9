"""The collector of a process that serves."""

import gc
from collections.abc import Iterator

import pytest

from app.kit import garbage


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_loaded_is_left_alone_and_what_comes_is_still_collected() -> None:
    garbage.settle()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (garbage.YOUNG, garbage.MIDDLE, garbage.OLD)
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() > 0
