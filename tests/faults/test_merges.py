"""Twenty races of merges with everything that writes about the same people; `benchmarks/faults/merges.py` runs more."""

import pytest

from benchmarks.faults import merges


@pytest.mark.timeout(300)
async def test_merges_race_without_a_trace(database_url: str, app: object) -> None:
    del app  # its environment is needed
    found = await merges.run(database_url, trials=20, seed=7)
    assert dict(found.wrong) == {}
    assert found.answers["merge 201"] > 20
