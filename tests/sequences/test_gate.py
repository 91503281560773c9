"""The last question: refused, cancelled, put off; and who leaves without being asked."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.kit.clock import now
from app.kit.ids import new_id
from app.sequences.mailer import NullMailer, Outcome
from tests.conftest import TenantFixture
from tests.sequences.conftest import Answering, World

MAILS = 2


async def touch(world: World, candidate: str, type_: str, **fields: Any) -> Any:
    body = {"candidate_id": candidate, "type": type_, "occurred_at": now().isoformat(), "source": "test", **fields}
    return await world.post("/v1/touchpoints", body, 201)


async def test_without_consent_it_is_refused_with_the_reason(world: World) -> None:
    sequence = await world.sequence()
    enrollment = await world.enroll(sequence, await world.candidate(granted=False))
    await world.send()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["reasons"][0]["code"]) == ("refused", "consent_missing")
    assert (message["to"], message["message_id_header"]) == (None, None)
    left = await world.get(f"/v1/enrollments/{enrollment}")
    assert (left["state"], left["exit"]["reason"], left["next"]) == ("exited", "consent_missing", None)
    assert world.mailer.recorded == type(world.mailer.recorded)()


async def test_who_is_suppressed_at_the_last_moment_gets_nothing(world: World) -> None:
    sequence = await world.sequence()
    candidate = await world.candidate()
    await world.enroll(sequence, candidate)
    address = (await world.get(f"/v1/candidates/{candidate}"))["email_addresses"][0]["value"]
    await world.post("/v1/suppressions", {"channel": "email", "value": address, "reason": "manual"}, 201)
    await world.send()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["reasons"][0]["code"]) == ("refused", "suppressed")
    assert not world.mailer.recorded


@pytest.mark.parametrize(
    ("type_", "word", "data"),
    [
        ("email_replied", "reply", {}),
        ("casual_interview", "meeting", {}),
        ("applied", "application", {}),
        ("hired", "hire", {}),
        ("email_unsubscribed", "unsubscribed", {}),
        ("email_complained", "complaint", {}),
        ("email_bounced", "hard_bounce", {"bounce": {"kind": "hard"}}),
    ],
)
async def test_an_exit_word_cancels_what_is_due(world: World, type_: str, word: str, data: dict[str, Any]) -> None:
    sequence = await world.sequence()
    candidate = await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    touchpoint = await touch(world, candidate, type_, data=data)
    await world.send()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["reasons"][0]["code"]) == ("cancelled", word)
    left = (await world.get(f"/v1/enrollments/{enrollment}"))["exit"]
    assert (left["reason"], left["touchpoint_id"]) == (word, touchpoint["id"])
    assert not world.mailer.recorded


async def test_who_leaves_while_waiting_leaves_without_the_next_mail(world: World) -> None:
    sequence = await world.sequence({"key": "rest", "type": "wait", "for": "P7D"})
    candidate = await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    await touch(world, candidate, "email_replied")
    await world.drain()
    left = await world.get(f"/v1/enrollments/{enrollment}")
    assert (left["state"], left["exit"]["reason"]) == ("exited", "reply")


async def test_a_withdrawal_is_an_exit(world: World) -> None:
    sequence = await world.sequence()
    candidate = await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    withdrawal = {"purpose": "talent_pool", "channel": "email", "status": "withdrawn"}
    await world.post(f"/v1/candidates/{candidate}/consents", withdrawal, 201)
    await world.drain()
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["exit"]["reason"] == "consent_withdrawn"
    assert (await world.message(sequence_id=sequence))["state"] == "cancelled"


async def test_what_happened_before_the_start_or_softly_or_by_a_machine_is_no_exit(world: World) -> None:
    sequence = await world.sequence()
    candidate = await world.candidate()
    before = (now() - timedelta(days=1)).isoformat()
    await touch(world, candidate, "email_replied", occurred_at=before)
    await touch(world, candidate, "email_bounced", data={"bounce": {"kind": "soft"}})
    await world.enroll(sequence, candidate)
    await touch(world, candidate, "email_replied", actor="machine")
    await world.send()
    assert (await world.message(sequence_id=sequence))["state"] == "sent"


async def test_words_that_are_left_out_do_not_count(world: World) -> None:
    template = await world.template()
    step = {"key": "first", "type": "send", "template_id": template}
    sequence = await world.sequence(step, exit_on=["reply"])
    candidate = await world.candidate()
    await world.enroll(sequence, candidate)
    await touch(world, candidate, "meeting")
    await world.send()
    assert (await world.message(sequence_id=sequence))["state"] == "sent"


async def test_the_cap_holds_over_sequences_and_workers(world: World) -> None:
    await world.api.patch("/v1/tenant", json={"frequency_caps": {"email": {"max": MAILS, "days": 7}}})
    candidate = await world.candidate()
    sequences = [await world.sequence() for _ in range(5)]
    for sequence in sequences:
        await world.enroll(sequence, candidate)
    await asyncio.gather(*(world.send() for _ in range(3)))
    states = [await world.message(sequence_id=sequence) for sequence in sequences]
    sent = [each for each in states if each["state"] == "sent"]
    later = [each for each in states if each["state"] == "scheduled"]
    assert (len(sent), len(later), len(world.mailer.recorded)) == (MAILS, 3, MAILS)
    oldest = min(datetime.fromisoformat(each["sent_at"]) for each in sent)
    for each in later:
        assert (each["reasons"][0]["code"], each["attempt"]) == ("frequency_cap", 0)
        early = oldest + timedelta(days=7) - datetime.fromisoformat(each["scheduled_at"])
        assert timedelta(0) <= early < timedelta(seconds=2)  # it was counted at the gate, a little before it left


async def test_a_cap_ends_so_long_after_the_mail_was_sent(world: World) -> None:
    await world.api.patch("/v1/tenant", json={"frequency_caps": {"email": {"max": 1, "days": 7}}})
    candidate = await world.candidate()
    await world.enroll(await world.sequence(), candidate)
    await world.send()
    sent = await world.message(candidate_id=candidate)
    asked = {"candidate_id": candidate, "channel": "email", "purpose": "talent_pool"}
    answer = await world.post("/v1/contact-decisions", asked, 200)
    assert datetime.fromisoformat(answer["not_before"]) == datetime.fromisoformat(sent["sent_at"]) + timedelta(days=7)


async def test_what_did_not_leave_does_not_count(world: World) -> None:
    await world.api.patch("/v1/tenant", json={"frequency_caps": {"email": {"max": 1, "days": 7}}})
    candidate = await world.candidate()
    first, second = await world.sequence(), await world.sequence()
    await world.enroll(first, candidate)
    await world.send(Answering(Outcome("retry", 451, "later")))
    await world.enroll(second, candidate)
    await world.send()
    assert (await world.message(sequence_id=second))["state"] == "sent"


async def test_outside_the_window_it_waits_and_after_a_fortnight_it_is_refused(
    world: World, tenant: TenantFixture
) -> None:
    tomorrow = (now() + timedelta(days=2)).strftime("%a").lower()
    window = {"weekdays": [tomorrow], "from": "10:00", "to": "11:00", "holidays": "ignore"}
    step = {"key": "first", "type": "send", "template_id": await world.template()}
    sequence = await world.sequence(step, window=window)
    enrollment = await world.enroll(sequence, await world.candidate())
    await world.send()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["reasons"][0]["code"]) == ("scheduled", "outside_window")
    assert datetime.fromisoformat(message["scheduled_at"]).strftime("%a %H:%M") == f"{tomorrow.title()} 01:00"
    following = (await world.get(f"/v1/enrollments/{enrollment}"))["next"]
    assert (following["scheduled_at"], following["reasons"][0]["code"]) == (message["scheduled_at"], "outside_window")
    async with world.database.transaction(tenant.caller) as session:
        await session.run("update messages set scheduled_at = now(), due_at = now() - interval '15 days'")
    await world.send()
    assert (await world.message(sequence_id=sequence))["state"] == "refused"
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["exit"]["reason"] == "outside_window"


async def test_rates_are_shared_by_all_workers(world: World) -> None:
    await world.api.patch("/v1/tenant", json={"rates": {"per_minute": 60, "per_domain_per_minute": None}})
    sequence = await world.sequence()
    people = [await world.candidate() for _ in range(4)]
    await world.post(f"/v1/sequences/{sequence}/enrollments", {"candidate_ids": people}, 207)
    await asyncio.gather(world.send(), world.send())
    states = [each["state"] for each in await world.messages(sequence_id=sequence)]
    assert states.count("sent") <= MAILS
    assert states.count("sent") + states.count("scheduled") == len(people)


async def test_a_paused_sequence_keeps_its_rows_and_goes_on_later(world: World) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    assert (await world.post(f"/v1/sequences/{sequence}/pause", status=200))["status"] == "paused"
    assert await world.send() == 0
    assert (await world.message(sequence_id=sequence))["state"] == "scheduled"
    await world.post(f"/v1/sequences/{sequence}/activate", status=200)
    assert await world.send() == 1


async def test_stopping_while_a_worker_holds_the_message_withholds_it(world: World) -> None:
    sequence = await world.sequence()
    enrollment = await world.enroll(sequence, await world.candidate())

    class Stopped(NullMailer):
        async def send(self, envelope: Any, begin: Any) -> Any:
            await world.post(f"/v1/enrollments/{enrollment}/stop", {"reason": "enough"}, 200)
            return await super().send(envelope, begin)

    mailer = Stopped()
    await world.send(mailer)
    assert (await world.message(sequence_id=sequence))["state"] == "cancelled"
    assert not mailer.recorded


async def test_a_template_that_fails_for_one_person_is_refused_for_them(world: World) -> None:
    source = "{{ 1 | divided_by: candidate.custom_fields.zero }}{{ legal_footer }}"
    body = "{% if candidate.custom_fields.zero == 0 %}" + source + "{% else %}{{ legal_footer }}{% endif %}"
    step = {"key": "first", "type": "send", "template_id": await world.template(body=body)}
    sequence = await world.sequence(step)
    await world.enroll(sequence, await world.candidate(custom_fields={"zero": 0}))
    await world.send()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["reasons"][0]["code"]) == ("refused", "render_failed")


async def test_another_tenant_sees_nothing(world: World, client_of: Any, new_tenant: Any) -> None:
    sequence = await world.sequence()
    enrollment = await world.enroll(sequence, await world.candidate())
    message = (await world.message(sequence_id=sequence))["id"]
    other = client_of((await new_tenant()).key)
    for path in (f"sequences/{sequence}", f"enrollments/{enrollment}", f"messages/{message}", f"sequences/{new_id()}"):
        assert (await other.get(f"/v1/{path}")).status_code == 404
    assert (await other.get("/v1/messages")).json()["data"] == []
