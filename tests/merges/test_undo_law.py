"""The law of undoing: merged, written to, and undone is the same as never merged.

What came in between by an identifier is about the one who has it, what came by an id is about the survivor, and a
withdrawal is about both.
"""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TenantFixture
from tests.merges.worlds import SIDES, Act, World
from tests.scale import scaled

KINDS = (
    "patch", "tag", "touch", "touch_mail", "touch_external", "upsert", "mail_record", "grant", "withdraw", "enroll",
    "decide",
)  # fmt: skip
ACTS = st.lists(st.builds(Act, st.sampled_from(KINDS), st.sampled_from(SIDES), st.integers(0, 3)), max_size=6)
CHECKS = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)

NewWorld = Callable[[], Awaitable[World]]


@pytest.fixture
def new_world(
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
    drain: Callable[[], Awaitable[int]],
) -> NewWorld:
    async def make() -> World:
        return await World.make(client_of((await new_tenant()).key), drain)

    return make


def expected(between: list[Act]) -> int:
    """Count the writes by an id: of what is begun or decided again there is one row."""
    rows = [act for act in between if act.kind in {"patch", "tag", "touch", "grant", "withdraw"}]
    pools = {act.word // 2 % 2 for act in between if act.kind == "decide"}
    return len(rows) + len(pools) + any(act.kind == "enroll" for act in between)


@pytest.mark.more
@settings(max_examples=scaled(4, 300), deadline=None, suppress_health_check=CHECKS)
@given(before=ACTS, between=ACTS, after=ACTS, survivor=st.sampled_from(SIDES))
async def test_merged_and_undone_is_never_merged(
    new_world: NewWorld, before: list[Act], between: list[Act], after: list[Act], survivor: str
) -> None:
    merged, never = await new_world(), await new_world()
    loser = next(each for each in SIDES if each != survivor)
    for world in (merged, never):
        for act in before:
            await world.do(act, world.ids[act.side], 0)
    merge = await merged.desk.merge(merged.ids[survivor], merged.ids[loser])
    for act in between:
        await merged.do(act, merged.ids[act.side], 1)
        sides = SIDES if act.kind == "withdraw" else (survivor if act.is_by_id else act.side,)
        for side in sides:
            await never.do(act, never.ids[side], 1)
    undone = await merged.desk.undo(merge)
    for world in (merged, never):
        for act in after:
            await world.do(act, world.ids[act.side], 0)
    await merged.desk.drain()
    for side in SIDES:
        assert await merged.seen(side) == await never.seen(side), side
    assert len(undone["conflicts"]) == expected(between)
