"""The cancellation harness, and its broken twin."""

import pytest

from benchmarks.faults import cancel
from tests.scale import scaled


@pytest.mark.more
async def test_given_up_requests_leave_nothing_behind(database_url: str, app: object) -> None:
    del app  # its environment is needed
    found = await cancel.run(database_url, requests=scaled(600, 50_000), tenants=scaled(5, 20))
    assert found.is_clean, found
    assert found.given_up > 50
    assert set(found.statuses) <= {200, 404}


async def test_the_look_finds_what_a_setting_of_the_connection_leaks(database_url: str, app: object) -> None:
    del app
    with cancel.broken_twin():
        found = await cancel.run(database_url, requests=200, tenants=5)
    assert found.strays > 0
