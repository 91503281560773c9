"""The small run of the harness of dying workers, and of its broken twin."""

import asyncio

import pytest

from benchmarks.faults import sending
from benchmarks.faults.stage import stage

SMALL = sending.Options(mails=300, kills=6)


@pytest.mark.parametrize("twin", ["", "record_after"])
def test_nobody_gets_a_mail_twice_but_from_the_twin(twin: str) -> None:
    with stage() as place:
        found = asyncio.run(sending.killed(place, SMALL, twin))
    assert found.deaths > 0
    assert (found.twice > 0) if twin else found.is_clean, found
