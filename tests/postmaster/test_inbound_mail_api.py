"""Mail that comes back: bounces, complaints, replies, wishes to be left alone, and everything that is none of these."""

from email.message import EmailMessage
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.postmaster import mail
from tests.sequences.conftest import World

RFC822: Final = {"Content-Type": "message/rfc822"}


async def sent(world: World) -> Any:
    """Send a mail in a sequence that goes on; return its message."""
    template = await world.template()
    sequence = await world.sequence(
        {"key": "first", "type": "send", "template_id": template},
        {"key": "pause", "type": "wait", "for": "P1D"},
        {"key": "second", "type": "send", "template_id": template},
    )
    await world.enroll(sequence, await world.candidate())
    assert await world.send() == 1
    [message] = [each for each in await world.messages(sequence_id=sequence) if each["state"] == "sent"]
    return message


async def post(world: World, raw: bytes, **headers: str) -> httpx.Response:
    return await world.api.post("/v1/inbound-mail", content=raw, headers={**RFC822, **headers})


async def read(world: World, raw: bytes) -> Any:
    answer = await post(world, raw)
    assert answer.status_code == 200, answer.text
    return answer.json()


def reply(message: Any, text: str = "興味があります。\n\nOn Mon wrote:\n> x", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Other <other@example.org>", "talent@example.co.jp", "Re: こんにちは"
    made["In-Reply-To"] = message["message_id_header"]
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def report(type_: str, fields: str, message: Any, *, held: str = "message/rfc822") -> bytes:
    """Write a report as mail servers do: a sentence, the fields, and the mail that it is about."""
    told = "feedback-report" if type_ == "feedback-report" else "delivery-status"
    kept = f"Message-ID: {message['message_id_header']}\nTo: {message['to']}\nSubject: x\n\nbody\n"
    parts = (("text/plain", "It did not work.\n"), (f"message/{told}", fields), (held, kept))
    body = "".join(f"--=b\nContent-Type: {name}\n\n{content}\n" for name, content in parts)
    head = (
        "From: MAILER-DAEMON@mx.example.com\nTo: talent@example.co.jp\nSubject: Undelivered\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={type_}; boundary="=b"\n\n'
    )
    return f"{head}{body}--=b--\n".encode()


def failure(message: Any, status: str = "5.1.1", action: str = "failed") -> str:
    return (
        "Reporting-MTA: dns; mx.example.com\n\n"
        f"Final-Recipient: rfc822; {message['to']}\nAction: {action}\nStatus: {status}\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\n"
    )


async def timeline(world: World, message: Any) -> list[Any]:
    listed: list[Any] = (await world.get(f"/v1/touchpoints?candidate_id={message['candidate_id']}"))["data"]
    return [each for each in listed if each["type"] != "email_sent"]


async def left(world: World, message: Any) -> str | None:
    found = await world.get(f"/v1/enrollments/{message['enrollment_id']}")
    return found["exit"]["reason"] if found["exit"] else None


async def test_a_reply_stops_the_sequence_and_is_told_once(world: World) -> None:
    message = await sent(world)
    answer = await read(world, reply(message))
    assert (answer["kind"], answer["outcome"], answer["message_id"]) == ("reply", "recorded", message["id"])
    assert answer["candidate_id"] == message["candidate_id"]
    again = await read(world, reply(message))
    assert (again["outcome"], again["touchpoint_id"]) == ("repeated", answer["touchpoint_id"])
    await world.drain()
    [told] = await timeline(world, message)
    assert (told["type"], told["actor"]) == ("email_replied", "human")
    assert told["data"] == {
        "message_id": message["message_id_header"],
        "subject": "Re: こんにちは",
        "text": "興味があります。",
    }
    assert await left(world, message) == "reply"


async def test_references_name_the_mail_too(world: World) -> None:
    message = await sent(world)
    raw = reply(message, References=f"<a@b> {message['message_id_header']} <c@d>", In_Reply_To="<c@d>")
    raw = raw.replace(f"In-Reply-To: {message['message_id_header']}\n".encode(), b"", 1)
    assert (await read(world, raw))["kind"] == "reply"


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"}]
)
async def test_a_machines_reply_stops_nothing(world: World, headers: dict[str, str]) -> None:
    message = await sent(world)
    assert (await read(world, reply(message, **headers)))["kind"] == "auto_reply"
    await world.drain()
    assert [each["actor"] for each in await timeline(world, message)] == ["machine"]
    assert await left(world, message) is None


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        ("5.1.1", "hard", "hard_bounce"),
        ("5.2.1", "hard", "hard_bounce"),
        ("5.2.2", "soft", None),
        ("4.4.1", "soft", None),
    ],
)
@pytest.mark.parametrize("held", ["message/rfc822", "text/rfc822-headers"])
async def test_a_bounce_says_whether_the_address_is_wrong(
    world: World, status: str, kind: str, reason: str | None, held: str
) -> None:
    message = await sent(world)
    answer = await read(world, report("delivery-status", failure(message, status), message, held=held))
    assert (answer["kind"], answer["candidate_id"]) == ("bounce", message["candidate_id"])
    await world.drain()
    [told] = await timeline(world, message)
    assert told["type"] == "email_bounced"
    assert (told["data"]["bounce"]["kind"], told["data"]["bounce"]["code"]) == (kind, status)
    [address] = (await world.get(f"/v1/candidates/{message['candidate_id']}"))["email_addresses"]
    assert address["status"] == ("bounced" if kind == "hard" else "ok")
    assert (await world.get(f"/v1/messages/{message['id']}"))["delivery"] == "bounced"
    assert await left(world, message) == reason


async def test_a_late_mail_has_not_bounced(world: World) -> None:
    message = await sent(world)
    assert (await read(world, report("delivery-status", failure(message, "4.4.7", "delayed"), message)))[
        "kind"
    ] == "unknown"
    assert await timeline(world, message) == []


async def test_a_complaint_suppresses_and_stops(world: World) -> None:
    message = await sent(world)
    fields = "Feedback-Type: abuse\nUser-Agent: FBL/1\nVersion: 1\n"
    assert (await read(world, report("feedback-report", fields, message)))["kind"] == "complaint"
    await world.drain()
    assert [each["type"] for each in await timeline(world, message)] == ["email_complained"]
    asked = {"channel": "email", "value": message["to"]}
    held = await world.post("/v1/suppressions/check", asked, 200)
    assert [each["reason"] for each in held["data"]] == ["complaint"]
    assert await left(world, message) == "complaint"


async def test_a_complaint_that_is_taken_back_is_none(world: World) -> None:
    message = await sent(world)
    assert (await read(world, report("feedback-report", "Feedback-Type: not-spam\n", message)))["kind"] == "unknown"


async def test_a_bounce_that_anybody_could_have_made_up_is_not_believed(world: World) -> None:
    message = await sent(world)
    forged = {**message, "message_id_header": "<0123456789abcdef0123456789abcdef@example.co.jp>"}
    assert (await read(world, report("delivery-status", failure(message), forged)))["kind"] == "unknown"
    assert await timeline(world, message) == []


async def test_mail_to_the_mailto_of_list_unsubscribe_unsubscribes(world: World) -> None:
    message = await sent(world)
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = message["to"].upper(), "Stop <stop@example.co.jp>", "unsubscribe"
    made.set_content("")
    answer = await read(world, made.as_bytes())
    assert (answer["kind"], answer["candidate_id"]) == ("unsubscribe", message["candidate_id"])
    question = {"candidate_id": message["candidate_id"], "channel": "email", "purpose": "talent_pool"}
    reasons = (await world.post("/v1/contact-decisions", question, 200))["reasons"]
    assert "unsubscribed" in {each["code"] for each in reasons}
    await world.drain()
    assert await left(world, message) == "unsubscribed"
    made.replace_header("To", "other@example.co.jp")
    assert (await read(world, made.as_bytes()))["kind"] == "unknown"


async def test_other_tenants_mails_are_unknown(world: World, client_of: Any, new_tenant: Any) -> None:
    message = await sent(world)
    other = client_of((await new_tenant()).key)
    answer = await other.post("/v1/inbound-mail", content=reply(message), headers=RFC822)
    assert answer.json()["kind"] == "unknown"


async def test_a_mail_to_somebody_erased_is_about_nobody(world: World) -> None:
    message = await sent(world)
    await world.post(f"/v1/candidates/{message['candidate_id']}/erase", {}, 200)
    assert (await read(world, reply(message)))["kind"] == "unknown"


async def test_what_is_no_mail_is_refused_by_its_shape(world: World) -> None:
    for body, headers, status in (
        (b"", RFC822, 400),
        (b" \r\n", RFC822, 400),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"x" * ((10 << 20) + 1), RFC822, 413),
        (b"\x00\xff", RFC822, 200),
    ):
        answer = await world.api.post("/v1/inbound-mail", content=body, headers=headers)
        assert answer.status_code == status


NESTED: Final = b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" * 500
REPORT: Final = b"Content-Type: multipart/report; report-type=delivery-status; boundary=a\n\n--a\n"
HOSTILE: Final = [
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + NESTED,
    REPORT + b"Content-Type: message/delivery-status\n\n\n--a",
    b"Subject: =?utf-8?B?////?= =?x-none?Q?=ff?=\nFrom: =?\xff?=\nIn-Reply-To: <" + b"a" * 100_000,
    b"From: MAILER-DAEMON@x\nContent-Type: text/plain; charset=none\nContent-Transfer-Encoding: base64\n\n\xff!",
    b"References: " + b"<0123456789abcdef0123456789abcdef@x> " * 5_000 + b"\n\n",
    b"From: " + b"(" * 50_000 + b"\n\n",
    b"Message-ID: <\x00>\nIn-Reply-To: <0123456789abcdef0123456789abcdef@x>\nSubject: a\x00b\n\nc\x00d \xed\xa0\x80",
    b"Content-Type: multipart/report; report-type=feedback-report; boundary=\n\n",
    b"\n".join(b"a%d: b" % n for n in range(20_000)),
]


@pytest.mark.parametrize("raw", HOSTILE)
async def test_hostile_mail_is_no_error(world: World, raw: bytes) -> None:
    assert (await post(world, raw)).status_code == 200


PIECES: Final = st.sampled_from(
    [
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n",
        b"Content-Type: message/rfc822\n", b"Content-Type: message/delivery-status\n", b"Content-Type: text/plain\n",
        b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"charset=utf-16\n",
        b"From: MAILER-DAEMON@x.example\n", b"From: =?iso-2022-jp?B?GyRC?=\n", b"Return-Path: <>\n", b"\n", b"--b\n",
        b"--b--\n",
        b"In-Reply-To: <0123456789abcdef0123456789abcdef@x.example>\n", b"Final-Recipient: rfc822; a@b.example\n",
        b"Action: failed\nStatus: 5.1.1\n", b"Feedback-Type: abuse\n", b"Subject: unsubscribe\n", b"=?utf-8?q?=FF?=",
    ]
)  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.binary(max_size=20), max_size=30))
def test_any_bytes_are_read_as_something_that_can_be_stored(pieces: list[bytes]) -> None:
    found = mail.read(b"".join(pieces))
    for text in (found.subject, found.text, found.reason or "", found.status or "", found.failed or ""):
        assert "\x00" not in text
        assert text.encode("utf-8").decode() == text
    assert len(found.text) <= mail.TEXT_LENGTH
    assert len(found.ours) <= mail.MOST_IDS
