"""What is unknown rests until somebody knows."""

from typing import Any

import pytest

from app.sequences.mailer import Outcome
from tests.sequences.conftest import Answering, World


@pytest.fixture
async def unknown(world: World) -> dict[str, Any]:
    """A message that nobody can say of whether it left."""
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    await world.send(Answering(Outcome("unknown")))
    found: dict[str, Any] = await world.message(sequence_id=sequence)
    assert found["state"] == "unknown"
    return found


async def types_of(world: World, candidate: str) -> list[str]:
    return [each["type"] for each in (await world.get(f"/v1/touchpoints?candidate_id={candidate}"))["data"]]


@pytest.mark.parametrize(
    ("outcome", "state", "timeline"), [("sent", "sent", ["email_sent"]), ("not_sent", "failed", [])]
)
async def test_a_person_settles_it(
    world: World, unknown: dict[str, Any], outcome: str, state: str, timeline: list[str]
) -> None:
    assert await types_of(world, unknown["candidate_id"]) == []
    settled = await world.post(f"/v1/messages/{unknown['id']}/settle", {"outcome": outcome}, 200)
    assert settled["state"] == state
    assert await types_of(world, unknown["candidate_id"]) == timeline
    assert await world.send() == 0


@pytest.mark.parametrize(
    ("type_", "state", "delivery"),
    [
        ("email_delivered", "sent", "delivered"),
        ("email_opened", "sent", "delivered"),
        ("email_clicked", "sent", "delivered"),
        ("email_replied", "sent", "delivered"),
        ("email_bounced", "failed", "bounced"),
    ],
)
async def test_a_later_sign_with_its_message_id_settles_it(
    world: World, unknown: dict[str, Any], type_: str, state: str, delivery: str
) -> None:
    sign = {
        "candidate_id": unknown["candidate_id"],
        "type": type_,
        "occurred_at": "2026-11-23T00:00:00Z",
        "source": "sendgrid:x",
        "data": {"message_id": unknown["message_id_header"].strip("<>")},
    }
    await world.post("/v1/touchpoints", sign, 201)
    await world.drain()
    message = await world.get(f"/v1/messages/{unknown['id']}")
    assert (message["state"], message["delivery"]) == (state, delivery)


async def test_a_resend_is_the_same_message_through_the_gate(world: World, unknown: dict[str, Any]) -> None:
    again = await world.post(f"/v1/messages/{unknown['id']}/resend", status=200)
    assert (again["state"], again["attempt"]) == ("scheduled", 2)
    await world.send()
    sent = await world.get(f"/v1/messages/{unknown['id']}")
    assert (sent["state"], sent["attempt"], sent["message_id_header"]) == ("sent", 2, unknown["message_id_header"])
    assert await types_of(world, unknown["candidate_id"]) == ["email_sent"]


async def test_a_resend_to_somebody_who_withdrew_is_not_sent(world: World, unknown: dict[str, Any]) -> None:
    withdrawal = {"purpose": "talent_pool", "channel": "email", "status": "withdrawn"}
    await world.post(f"/v1/candidates/{unknown['candidate_id']}/consents", withdrawal, 201)
    await world.post(f"/v1/messages/{unknown['id']}/resend", status=200)
    await world.send()
    assert (await world.get(f"/v1/messages/{unknown['id']}"))["state"] == "cancelled"
    assert not world.mailer.recorded
