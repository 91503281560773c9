"""The small run of the harness of incoming events, and of its broken twin."""

import asyncio
from collections.abc import Iterator

import pytest

from benchmarks.faults import signals
from benchmarks.faults.stage import Stage, stage

SMALL = signals.Options(events=600, kills=3)


@pytest.fixture(scope="module")
def place() -> Iterator[Stage]:
    with stage() as found:
        yield found


@pytest.mark.parametrize("twin", ["", signals.TWIN])
def test_every_event_is_stored_once_but_with_the_twin(place: Stage, twin: str) -> None:
    found = asyncio.run(signals.run(place, SMALL, twin))
    assert found.deaths == 2 * SMALL.kills
    assert found.received > SMALL.events
    assert found.wrong["2xx that is not in the database"] if twin else found.is_clean, found
