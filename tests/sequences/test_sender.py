"""Nothing twice, nothing lost: the sender against a real database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.kit import presence
from app.kit.clock import now
from app.kit.db import Database
from app.sequences.mailer import Begin, Envelope, NullMailer, Outcome, Server, SmtpMailer
from app.sequences.sending import Sender
from tests.conftest import TenantFixture
from tests.sequences.conftest import Answering, World
from tests.sequences.sinks import Script, Taken, scripted, sink

Restart = Callable[[], None]


class Killed(BaseException):
    """What a test raises where a process is killed."""


class Dying(NullMailer):
    """Dies at a point of the sending."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
        if self.at == "claimed":
            raise Killed
        assert await begin()
        if self.at == "accepted":
            self.recorded.append(envelope)
        raise Killed


async def kill(world: World, at: str) -> Dying:
    """Let a worker claim what is due and die at a point; its connection, and so its presence, ends with it."""
    mailer = Dying(at)
    sender = world.sender(mailer)
    with pytest.raises(Killed):
        await _work(world, sender)
    return mailer


async def _work(world: World, sender: Sender) -> None:
    async with presence.held(world.database, sender._worker):
        for claim in await sender._claim(10):
            await sender.deliver(claim)


async def due_now(world: World, tenant: TenantFixture, sequence: str) -> None:
    """Let the messages of a sequence be due now, whatever they were put off for."""
    async with world.database.transaction(tenant.caller) as session:
        await session.run(
            """update messages set scheduled_at = now()
               where sequence_id = cast(:id as uuid) and state in ('scheduled', 'retry')""",
            id=sequence,
        )


async def test_a_mail_leaves_and_its_enrollment_goes_on(world: World) -> None:
    template = await world.template()
    sequence = await world.sequence(
        {"key": "one", "type": "send", "template_id": template},
        {"key": "pause", "type": "wait", "for": "PT0S"},
        {"key": "two", "type": "send", "template_id": template},
        {"key": "rest", "type": "wait", "for": "P7D"},
        {"key": "three", "type": "send", "template_id": template},
    )
    candidate = await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    taken = Taken()
    async with sink(taken) as url:
        mailer = SmtpMailer(Server.of(url), helo="talent.example.com")
        assert [await world.send(mailer) for _ in range(3)] == [1, 1, 0]
        await mailer.close()
    two, one = await world.messages(enrollment_id=enrollment)
    assert [(each["step"], each["state"], each["attempt"]) for each in (one, two)] == [
        ("one", "sent", 1),
        ("two", "sent", 1),
    ]
    assert [recipient for recipient, _ in taken.messages] == [one["to"]] * 2
    assert one["smtp"] == {"code": 250, "reply": "2.0.0 Taken"}
    assert two["due_at"] == one["sent_at"]
    read = await world.get(f"/v1/enrollments/{enrollment}")
    assert (read["state"], read["step"], read["next"]["step"]) == ("active", "rest", "three")
    sent_at = datetime.fromisoformat(two["sent_at"])
    assert datetime.fromisoformat(read["next"]["due_at"]) == sent_at + timedelta(days=7)
    timeline = (await world.get(f"/v1/touchpoints?candidate_id={candidate}"))["data"]
    assert [each["type"] for each in timeline] == ["email_sent", "email_sent"]
    assert {each["data"]["message_id"] for each in timeline} == {one["message_id_header"], two["message_id_header"]}
    types = [each["type"] for each in (await world.get("/v1/changes"))["data"]]
    assert types.count("message.sent") == 2


async def test_many_workers_at_once_send_each_step_once(world: World) -> None:
    sequence = await world.sequence()
    people = [await world.candidate() for _ in range(12)]
    await world.post(f"/v1/sequences/{sequence}/enrollments", {"candidate_ids": people}, 207)
    mailers = [NullMailer() for _ in range(3)]
    await asyncio.gather(*(world.send(mailer) for mailer in mailers), *(world.send(mailer) for mailer in mailers))
    await world.send()
    messages = await world.messages(sequence_id=sequence)
    sent = [each.recipient for mailer in (*mailers, world.mailer) for each in mailer.recorded]
    assert [sent.count(each["to"]) for each in messages] == [1] * 12
    assert {each["state"] for each in messages} == {"sent"}


async def test_who_dies_while_claimed_costs_nothing(world: World) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    await kill(world, "claimed")
    assert (await world.message(sequence_id=sequence))["state"] == "claimed"
    assert await world.send() == 1
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["attempt"], len(world.mailer.recorded)) == ("sent", 2, 1)


@pytest.mark.parametrize("at", ["transmitting", "accepted"])
async def test_who_dies_while_transmitting_leaves_unknown_and_nothing_is_sent_again(world: World, at: str) -> None:
    template = await world.template()
    sequence = await world.sequence(
        {"key": "one", "type": "send", "template_id": template},
        {"key": "rest", "type": "wait", "for": "P7D"},
    )
    enrollment = await world.enroll(sequence, await world.candidate())
    dead = await kill(world, at)
    for _ in range(2):
        await world.send()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["attempt"]) == ("unknown", 1)
    assert len(dead.recorded) + len(world.mailer.recorded) == (at == "accepted")
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["step"] == "rest"


async def test_a_live_worker_keeps_what_it_holds(world: World) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    sender = world.sender()
    async with presence.held(world.database, sender._worker):
        [claim] = await sender._claim(10)
        assert await world.send() == 0
        await sender.deliver(claim)
    assert (await world.message(sequence_id=sequence))["attempt"] == 1


async def test_a_worker_taken_for_dead_can_do_no_harm(world: World, tenant: TenantFixture) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    late = world.sender(NullMailer())
    [claim] = await late._claim(10)
    assert await world.send() == 1
    await late.deliver(claim)
    assert (await world.message(sequence_id=sequence))["attempt"] == 2
    assert len(world.mailer.recorded) == 1
    async with world.database.transaction(tenant.caller) as session:
        assert await session.value("select count(*) from touchpoints where type = 'email_sent'") == 1


async def test_a_late_answer_of_the_same_attempt_settles_unknown(world: World) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    slow = world.sender()
    [claim] = await slow._claim(10)

    class Slow(NullMailer):
        async def send(self, _: Envelope, begin: Begin) -> Outcome:
            assert await begin()
            await world.send()
            assert (await world.message(sequence_id=sequence))["state"] == "unknown"
            return Outcome("sent", 250, "ok")

    slow._mailer = Slow()
    await slow.deliver(claim)
    assert (await world.message(sequence_id=sequence))["state"] == "sent"


async def test_a_lease_that_is_over_hands_the_message_back(world: World, tenant: TenantFixture) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    sender = world.sender()
    async with presence.held(world.database, sender._worker):
        await sender._claim(10)
        async with world.database.transaction(tenant.caller) as session:
            await session.run("update messages set lease_until = now() - interval '1 second'")
        assert await world.send() == 1


async def test_refusals_of_the_receiver_retry_with_one_message_id_until_dead(
    world: World, tenant: TenantFixture
) -> None:
    sequence = await world.sequence()
    enrollment = await world.enroll(sequence, await world.candidate())
    seen = set()
    for number in range(12):
        assert await world.send(Answering(Outcome("retry", 451, "later"))) == 1
        message = await world.message(sequence_id=sequence)
        seen.add(message["message_id_header"])
        assert (message["state"], message["attempt"]) == ("dead" if number == 11 else "retry", number + 1)
        pause = datetime.fromisoformat(message["scheduled_at"]) - now()
        assert number == 11 or timedelta(seconds=20) < pause < timedelta(seconds=1.2 * 3600)
        await due_now(world, tenant, sequence)
    assert len(seen) == 1
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["state"] == "completed"
    again = await world.post(f"/v1/messages/{message['id']}/redrive", status=200)
    assert (again["state"], again["attempt"]) == ("scheduled", 13)
    assert await world.send() == 1
    redriven = await world.message(sequence_id=sequence)
    assert (redriven["state"], redriven["attempt"], redriven["message_id_header"]) == ("sent", 13, *seen)


@pytest.mark.parametrize(("bounce", "address", "exit_word"), [("hard", "bounced", "hard_bounce"), ("soft", "ok", None)])
async def test_a_bounce_is_written_once_and_a_hard_one_marks_the_address(
    world: World, bounce: Any, address: str, exit_word: str | None
) -> None:
    sequence = await world.sequence()
    candidate = await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    await world.send(Answering(Outcome("failed", 550, "5.1.1 no such user", bounce=bounce)))
    await world.drain()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["delivery"]) == ("failed", "bounced")
    [touchpoint] = (await world.get(f"/v1/touchpoints?candidate_id={candidate}"))["data"]
    assert (touchpoint["type"], touchpoint["data"]["bounce"]["kind"]) == ("email_bounced", bounce)
    person = await world.get(f"/v1/candidates/{candidate}")
    assert person["email_addresses"][0]["status"] == address
    left = await world.get(f"/v1/enrollments/{enrollment}")
    assert left["state"] == ("exited" if exit_word else "completed")
    assert exit_word is None or left["exit"] == {
        "reason": exit_word,
        "touchpoint_id": touchpoint["id"],
        "at": left["exit"]["at"],
    }


async def test_real_faults_of_a_real_server_come_to_the_right_states(world: World, tenant: TenantFixture) -> None:
    script = Script(rcpt="451 4.7.1 later")
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    async with scripted(script) as url:
        mailer = SmtpMailer(Server.of(url), helo="x.example.com", timeout_s=1)
        await world.send(mailer)
        assert (await world.message(sequence_id=sequence))["smtp"] == {"code": 451, "reply": "4.7.1 later"}
        script.answers |= {"rcpt": "250 ok", "dot": None}
        await due_now(world, tenant, sequence)
        await world.send(mailer)
        await mailer.close()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["attempt"], len(script.received)) == ("unknown", 2, 1)


async def test_a_template_may_ask_to_resend_what_is_unknown(world: World, tenant: TenantFixture) -> None:
    template = await world.template(on_unknown="resend", audience="transactional")
    sequence = await world.sequence({"key": "receipt", "type": "send", "template_id": template})
    await world.enroll(sequence, await world.candidate())
    await kill(world, "accepted")
    await world.send()
    assert (await world.message(sequence_id=sequence))["state"] == "retry"
    await due_now(world, tenant, sequence)
    await world.send()
    assert (await world.message(sequence_id=sequence))["state"] == "sent"


async def test_a_bug_while_transmitting_is_unknown_and_before_it_is_tried_again(world: World) -> None:
    class Broken(NullMailer):
        async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
            if envelope.recipient.startswith("late"):
                await begin()
            raise LookupError

    sequence = await world.sequence()
    for name in ("early", "late"):
        candidate = await world.candidate(email_addresses=[{"value": f"{name}@{name}.example.com"}])
        await world.enroll(sequence, candidate)
    await world.send(Broken())
    states = {each["to"].partition("@")[0]: each["state"] for each in await world.messages(sequence_id=sequence)}
    assert states == {"early": "retry", "late": "unknown"}


async def test_the_loop_sends_within_seconds_without_anybody_waking_it(world: World) -> None:
    sequence = await world.sequence()
    loop = asyncio.create_task(world.sender().run())
    try:
        await asyncio.sleep(0.2)
        await world.enroll(sequence, await world.candidate())
        begun = datetime.now(UTC)
        while (await world.message(sequence_id=sequence))["state"] != "sent":
            assert datetime.now(UTC) - begun < timedelta(seconds=3)
            await asyncio.sleep(0.05)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def test_nothing_is_left_locked_by_a_loop_that_was_stopped(world: World, database: Database) -> None:
    sender = world.sender()
    loop = asyncio.create_task(sender.run())
    await asyncio.sleep(0.2)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    async with database.engine.connect() as connection:
        gone = presence.IS_GONE.format(worker=f"'{sender._worker}'")
        assert (await connection.exec_driver_sql(f"select {gone}")).scalar()
