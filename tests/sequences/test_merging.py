"""Two candidates that are one person get no step twice."""

from datetime import datetime
from uuid import UUID

import pytest

from app.kit.clock import now
from app.sequences import service
from tests.conftest import TenantFixture
from tests.sequences.conftest import World


async def merge(world: World, tenant: TenantFixture, survivor: str, loser: str) -> datetime:
    at = now()
    async with world.database.transaction(tenant.caller) as session:
        await service.absorb(session, {UUID(loser): UUID(survivor)})
    return at


@pytest.mark.parametrize("is_sent_before", [True, False])
async def test_a_person_of_two_gets_a_step_once(world: World, tenant: TenantFixture, is_sent_before: bool) -> None:
    sequence = await world.sequence()
    survivor, loser = await world.candidate(), await world.candidate()
    await world.enroll(sequence, survivor)
    if is_sent_before:
        await world.send()
    await world.enroll(sequence, loser)
    await merge(world, tenant, survivor, loser)
    await world.send()
    states = sorted(each["state"] for each in await world.messages(sequence_id=sequence, candidate_id=survivor))
    assert states == (["refused", "sent"] if is_sent_before else ["cancelled", "sent"])
    assert len(world.mailer.recorded) == 1


async def test_release_gives_back_exactly_what_came(world: World, tenant: TenantFixture) -> None:
    first, second = await world.sequence(), await world.sequence()
    survivor, loser = await world.candidate(), await world.candidate()
    came = await world.enroll(first, loser)
    at = await merge(world, tenant, survivor, loser)
    assert (await world.get(f"/v1/enrollments/{came}"))["candidate_id"] == survivor
    since = await world.enroll(second, survivor)
    async with world.database.transaction(tenant.caller) as session:
        released = await service.release(session, UUID(survivor), UUID(loser), [UUID(loser)], at)
    assert [str(each) for each in released.between] == [since]
    assert (await world.get(f"/v1/enrollments/{came}"))["candidate_id"] == loser
    assert (await world.message(sequence_id=first))["candidate_id"] == loser


async def test_of_the_ways_that_other_merges_ended_one_goes_on(world: World, tenant: TenantFixture) -> None:
    sequence = await world.sequence()
    first, survivor, last = [await world.candidate() for _ in range(3)]
    ways = [await world.enroll(sequence, each) for each in (first, survivor, last)]
    at = await merge(world, tenant, survivor, first)
    await merge(world, tenant, survivor, last)
    async with world.database.transaction(tenant.caller) as session:
        await service.release(session, UUID(survivor), UUID(first), [UUID(first)], at)
    found = [await world.get(f"/v1/enrollments/{each}") for each in ways]
    assert [each["state"] for each in found] == ["active", "active", "exited"]
    assert [each["candidate_id"] for each in found] == [first, survivor, survivor]
    await world.send()
    assert len(world.mailer.recorded) == 2


async def test_erasure_forgets_where_mails_went(world: World, tenant: TenantFixture) -> None:
    sequence = await world.sequence()
    candidate = await world.candidate()
    await world.enroll(sequence, candidate)
    await world.send()
    async with world.database.transaction(tenant.caller) as session:
        assert await service.erase(session, UUID(candidate)) == 1
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["to"], message["message_id_header"], message["smtp"]) == (
        "sent",
        None,
        None,
        None,
    )
