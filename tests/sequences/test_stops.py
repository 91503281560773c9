"""A stop that was committed before a mail began holds it back, however late it comes."""

from collections.abc import Awaitable, Callable

import pytest

from app.kit.clock import now
from app.kit.ids import new_id
from app.sequences.mailer import Begin, Envelope, NullMailer, Outcome
from tests.sequences.conftest import GRANT, World

Stop = Callable[[World, str, str, str], Awaitable[object]]


async def by_hand(world: World, _sequence: str, enrollment: str, _candidate: str) -> None:
    await world.post(f"/v1/enrollments/{enrollment}/stop", {"reason": "enough"}, 200)


async def by_pause(world: World, sequence: str, _enrollment: str, _candidate: str) -> None:
    await world.post(f"/v1/sequences/{sequence}/pause", status=200)


async def by_withdrawal(world: World, _sequence: str, _enrollment: str, candidate: str) -> None:
    said = {**GRANT, "status": "withdrawn", "obtained_at": now().isoformat()}
    await world.post(f"/v1/candidates/{candidate}/consents", said, 201)


async def by_suppression(world: World, _sequence: str, _enrollment: str, candidate: str) -> None:
    address = (await world.get(f"/v1/candidates/{candidate}"))["email_addresses"][0]["value"]
    await world.post("/v1/suppressions", {"channel": "email", "value": address, "reason": "manual"}, 201)


async def by_reply(world: World, _sequence: str, _enrollment: str, candidate: str) -> None:
    told = {"candidate_id": candidate, "type": "email_replied", "occurred_at": now().isoformat(), "source": "test"}
    await world.post("/v1/touchpoints", told, 201)


async def by_deletion(world: World, _sequence: str, _enrollment: str, candidate: str) -> None:
    assert (await world.api.delete(f"/v1/candidates/{candidate}")).status_code in {200, 204}


@pytest.mark.parametrize(
    "stop", [by_hand, by_pause, by_withdrawal, by_suppression, by_reply, by_deletion], ids=lambda stop: stop.__name__
)
async def test_nothing_begins_after_a_committed_stop(world: World, stop: Stop) -> None:
    sequence, candidate = await world.sequence(), await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    begun = []

    class Late(NullMailer):
        """Stops when the server waits for the message already."""

        async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
            await stop(world, sequence, enrollment, candidate)
            begun.append(await begin())
            return await super().send(envelope, begin) if begun[-1] else Outcome("withheld")

    await world.send(Late())
    assert begun == [False]
    message = await world.message(sequence_id=sequence)
    expected = {"by_pause": "scheduled", "by_suppression": "refused"}
    assert message["state"] == expected.get(stop.__name__, "cancelled")
    assert (await world.send(), message["sent_at"]) == (0, None)


async def test_two_mails_to_one_person_in_one_batch_count_for_each_other(world: World) -> None:
    await world.api.patch("/v1/tenant", json={"frequency_caps": {"email": {"max": 1, "days": 7}}})
    candidate = await world.candidate()
    for _ in range(3):
        await world.enroll(await world.sequence(), candidate)
    assert await world.send() == 3
    states = sorted(each["state"] for each in await world.messages(candidate_id=candidate))
    assert states == ["scheduled", "scheduled", "sent"]
    assert len(world.mailer.recorded) == 1


async def test_an_address_that_changed_meanwhile_is_asked_for_anew(world: World) -> None:
    sequence, candidate = await world.sequence(), await world.candidate()
    await world.enroll(sequence, candidate)
    old = (await world.get(f"/v1/candidates/{candidate}"))["email_addresses"][0]["value"]
    new = f"{new_id().hex}@new.example.com"

    class Late(NullMailer):
        async def send(self, _: Envelope, begin: Begin) -> Outcome:
            changes = {"email_addresses": {"add": [{"value": new}], "remove": [old]}}
            changed = await world.api.patch(f"/v1/candidates/{candidate}", json=changes)
            assert changed.status_code == 200, changed.text
            assert not await begin()
            return Outcome("withheld")

    await world.send(Late())
    assert await world.send() == 1
    assert [each.recipient for each in world.mailer.recorded] == [new]
