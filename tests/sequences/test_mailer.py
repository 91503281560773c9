"""How a mail leaves: one suite for both mailers, and what each fault of a server means."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.sequences.mailer import Envelope, Mailer, NullMailer, Server, SmtpMailer, classify
from tests.sequences.sinks import Script, Taken, scripted, sink

MAIL = Envelope("talent@example.co.jp", "taro@example.com", b"Subject: x\r\n\r\n.a line with a dot\r\n..\r\n")

PIPELINING = {"ehlo": "250-sink\r\n250 PIPELINING"}


def smtp(url: str, timeout_s: float = 5) -> SmtpMailer:
    return SmtpMailer(Server.of(url), helo="talent.example.com", timeout_s=timeout_s)


class Begin:
    """Counts how often it was asked."""

    def __init__(self, *, answer: bool = True) -> None:
        self.asked, self.answer = 0, answer

    async def __call__(self) -> bool:
        self.asked += 1
        return self.answer


@pytest.fixture(params=["null", "smtp"])
async def mailer(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Mailer, Any]]:
    """Either mailer, and how to read what it has sent."""
    if request.param == "null":
        null = NullMailer()
        yield null, lambda: [(each.recipient, each.data) for each in null.recorded]
        return
    taken = Taken()
    async with sink(taken) as url:
        real = smtp(url)
        yield real, lambda: taken.messages
        await real.close()


async def test_a_mail_leaves_once_as_it_is_after_begin_was_asked(mailer: tuple[Mailer, Any]) -> None:
    port, sent = mailer
    begin = Begin()
    for number in range(3):
        outcome = await port.send(MAIL, begin)
        assert (outcome.kind, begin.asked) == ("sent", number + 1)
    assert sent() == [(MAIL.recipient, MAIL.data)] * 3


async def test_what_must_not_begin_is_withheld(mailer: tuple[Mailer, Any]) -> None:
    port, sent = mailer
    assert (await port.send(MAIL, Begin(answer=False))).kind == "withheld"
    assert sent() == []
    assert (await port.send(MAIL, Begin())).kind == "sent"


async def test_what_begin_raises_is_raised_and_nothing_leaves(mailer: tuple[Mailer, Any]) -> None:
    port, sent = mailer

    async def begin() -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        await port.send(MAIL, begin)
    assert sent() == []


async def test_closing_twice_is_well(mailer: tuple[Mailer, Any]) -> None:
    port, sent = mailer
    await port.send(MAIL, Begin())
    await port.close()
    await port.close()
    assert sent() == [(MAIL.recipient, MAIL.data)]


@pytest.mark.parametrize("ehlo", [{}, PIPELINING])
@pytest.mark.parametrize(
    ("script", "kind", "bounce", "asked"),
    [
        ({"greeting": "421 busy"}, "retry", None, 0),
        ({"greeting": "554 no"}, "retry", None, 0),
        ({"greeting": None}, "retry", None, 0),
        ({"ehlo": "550 no"}, "retry", None, 0),
        ({"mail": "451 later"}, "retry", None, 0),
        ({"mail": "550 5.7.1 who are you"}, "retry", None, 0),
        ({"mail": None}, "retry", None, 0),
        ({"rcpt": "451 4.7.1 greylisted"}, "retry", None, 0),
        ({"rcpt": "421 bye"}, "retry", None, 0),
        ({"rcpt": "550 5.1.1 no such user"}, "failed", "hard", 0),
        ({"rcpt": "552 full"}, "failed", "hard", 0),
        ({"rcpt": None}, "retry", None, 0),
        ({"data": "451 later"}, "retry", None, 0),
        ({"data": "554 5.5.1 no"}, "failed", "soft", 0),
        ({"data": None}, "retry", None, 0),
        ({"dot": "451 later"}, "retry", None, 1),
        ({"dot": "421 bye"}, "retry", None, 1),
        ({"dot": "554 5.7.1 spam"}, "failed", "soft", 1),
        ({"dot": "550 5.1.1 no such user"}, "failed", "hard", 1),
        ({"dot": None}, "unknown", None, 1),
        ({"dot": "hang"}, "unknown", None, 1),
        ({"dot": "what?"}, "unknown", None, 1),
        ({"rcpt": "hang"}, "retry", None, 0),
    ],
)
async def test_each_fault_of_a_server_means_one_thing(
    script: Any, kind: str, bounce: str | None, asked: int, ehlo: Any
) -> None:
    begin = Begin()
    async with scripted(Script(**{**ehlo, **script})) as url:
        mailer = smtp(url, timeout_s=0.5)
        outcome = await mailer.send(MAIL, begin)
        await mailer.close()
    assert (outcome.kind, outcome.bounce, begin.asked) == (kind, bounce, asked)


async def test_a_server_that_is_away_is_tried_again() -> None:
    async with scripted(Script()) as url:
        pass
    assert (await smtp(url).send(MAIL, Begin())).kind == "retry"


@pytest.mark.parametrize("ehlo", [{}, PIPELINING])
async def test_connections_are_kept_and_replaced_when_the_server_has_closed_them(ehlo: Any) -> None:
    script = Script(**ehlo)
    async with scripted(script) as url:
        mailer = smtp(url)
        for _ in range(3):
            assert (await mailer.send(MAIL, Begin())).kind == "sent"
        assert script.connections == 1
        script.answers["mail"] = lambda _: None if script.connections == 1 else "250 ok"
        assert (await mailer.send(MAIL, Begin())).kind == "sent"
        assert script.connections == 2
        script.answers |= {"rcpt": "550 5.1.1 no such user", "data": "554 5.5.1 no valid recipients"}
        assert (await mailer.send(MAIL, Begin())).kind == "failed"
        script.answers |= {"rcpt": "250 ok", "data": "354 go"}
        assert (await mailer.send(MAIL, Begin())).kind == "sent"
        assert script.connections == 2
        await mailer.close()
    assert len(script.accepted) == 5
    assert script.accepted[0] == b"Subject: x\r\n\r\n..a line with a dot\r\n...\r\n.\r\n"


async def test_a_mail_without_a_recipient_is_not_begun() -> None:
    script, begin = Script(**PIPELINING, rcpt="550 5.1.1 no such user"), Begin()
    async with scripted(script) as url:
        mailer = smtp(url)
        assert (await mailer.send(MAIL, begin)).kind == "failed"
        script.answers["rcpt"] = "250 ok"
        assert (await mailer.send(MAIL, begin)).kind == "sent"
        await mailer.close()
    assert (script.connections, begin.asked, len(script.accepted)) == (2, 1, 1)


async def test_what_a_server_says_unasked_is_taken_for_no_reply() -> None:
    script = Script(dot="250 2.0.0 taken\r\n421 4.4.2 idle for too long")
    async with scripted(script) as url:
        mailer = smtp(url)
        for _ in range(2):
            assert (await mailer.send(MAIL, Begin())).kind == "sent"
        await mailer.close()
    assert script.connections == 2


async def test_an_address_beyond_ascii_needs_a_server_that_takes_it() -> None:
    other = Envelope(MAIL.sender, "花子@example.com", MAIL.data)
    taken = Taken()
    async with sink(taken) as url:
        mailer = smtp(url)
        assert (await mailer.send(other, Begin())).kind == "sent"
        await mailer.close()
    async with scripted(Script()) as url:
        mailer = smtp(url)
        outcome = await mailer.send(other, Begin())
        await mailer.close()
    assert (outcome.kind, outcome.bounce) == ("failed", "soft")


def test_our_own_faults_ask_for_somebody_to_look() -> None:
    assert classify("connect", 535, "bad credentials").is_our_fault
    assert classify("mail", 550).is_our_fault
    assert not classify("rcpt", 550).is_our_fault
    assert not classify("mail", 451).is_our_fault


def test_smtp_urls_are_read() -> None:
    server = Server.of("smtps://us%40er:p%3Aw@mail.example.com")
    assert (server.host, server.port, server.user, server.password) == ("mail.example.com", 465, "us@er", "p:w")
    assert (server.use_tls, server.start_tls) == (True, False)
    assert Server.of("smtp://127.0.0.1:2525").start_tls is None
    assert Server.of("smtp://127.0.0.1:2525?starttls=never").start_tls is False
    for bad in ("http://x", "smtp://", "mail.example.com"):
        with pytest.raises(ValueError, match=r"^$"):
            Server.of(bad)
