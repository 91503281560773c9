"""The small run of the cancellation harness, and of its broken twin."""

from benchmarks.faults import cancel


async def test_given_up_requests_leave_nothing_behind(database_url: str, app: object) -> None:
    del app  # its environment is needed
    found = await cancel.run(database_url, requests=600, tenants=5)
    assert found.is_clean, found
    assert found.given_up > 50
    assert set(found.statuses) <= {200, 404}


async def test_the_look_finds_what_a_setting_of_the_connection_leaks(database_url: str, app: object) -> None:
    del app
    with cancel.broken_twin():
        found = await cancel.run(database_url, requests=200, tenants=5)
    assert found.strays > 0
