"""Every mail as a mail server gets it: headers, display items, both parts, and nothing that data has added."""

import email
import hashlib
import re
from email import policy

from app.sequences.mailer import Server, SmtpMailer
from tests.sequences.conftest import SENDER, World
from tests.sequences.sinks import Taken, sink

HOSTILE = (
    "山田 太郎",
    "x\r\nBcc: all@example.com",
    "a\nSubject: bought",
    "\r\n\r\n<script>alert(1)</script>",
    "\u202eevil\u2028X-Evil: 1",
    ".\r\n.\r\nMAIL FROM:<x@example.com>",
    "{{ sender.from_email }}{% include 'x' %}",
    "=?utf-8?B?eA==?=",
    "😀" * 60,
)
HEADERS = [
    "Date", "From", "To", "Subject", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version",
    "Content-Type",
]  # fmt: skip
LINK = (
    rb"^List-Unsubscribe: <https://talent\.example\.com/u/[A-Za-z0-9_=-]{64}>, <mailto:stop@example\.co\.jp\?subject="
)


async def test_every_mail_is_whole_on_the_wire(world: World) -> None:
    body = "<p>{{ candidate.full_name }} {{ candidate.headline }}</p>{{ legal_footer }}"
    template = await world.template(subject="{{ candidate.headline }}", body=body)
    sequence = await world.sequence({"key": "s", "type": "send", "template_id": template})
    for text in HOSTILE:
        await world.enroll(sequence, await world.candidate(headline=text))
    taken = Taken()
    async with sink(taken) as url:
        mailer = SmtpMailer(Server.of(url), helo="talent.example.com")
        assert await world.send(mailer) == len(HOSTILE)
        await mailer.close()
    known = {each["message_id_header"]: each for each in await world.messages(sequence_id=sequence)}
    assert len(taken.messages) == len(HOSTILE)
    for recipient, raw in taken.messages:
        read = email.message_from_bytes(raw, policy=policy.default)
        stored = known[read["Message-ID"]]
        assert (stored["to"], stored["state"]) == (recipient, "sent")
        assert stored["rendered_hash"] == hashlib.sha256(raw).hexdigest()
        _look(raw)


def _look(raw: bytes) -> None:
    head = raw.partition(b"\r\n\r\n")[0]
    assert re.search(LINK, head, re.MULTILINE)
    assert re.search(rb"^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$", head, re.MULTILINE)
    assert re.search(rb"^Message-ID: <[0-9a-f]{32}@example\.co\.jp>\r$", head, re.MULTILINE)
    read = email.message_from_bytes(raw, policy=policy.default)
    assert read.keys() == HEADERS
    assert not read.defects
    plain, html = (part.get_content() for part in read.iter_parts())
    for item in ("name", "postal_address", "complaint_contact", "opt_out_notice"):
        assert SENDER[item] in plain
        assert SENDER[item] in html
    assert "https://talent.example.com/u/" in plain
    assert "https://talent.example.com/u/" in html
    assert "<script" not in html
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
