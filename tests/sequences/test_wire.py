"""The bytes that leave."""

import email
import re
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.ids import new_id
from app.sequences import wire
from app.sequences.wire import AddressRefused, Mail

URL = "https://talent.example.com/u/" + "a" * 200


def mail(**fields: object) -> Mail:
    known: dict[str, object] = {
        "message_id": wire.message_id(new_id(), "talent@example.co.jp"),
        "at": datetime(2026, 11, 23, tzinfo=UTC),
        "from_name": "株式会社例",
        "from_email": "talent@example.co.jp",
        "to": "taro@example.com",
        "reply_to": None,
        "subject": "山田様、こんにちは",
        "html": "<p>こんにちは</p>",
        "text": "こんにちは\n.\nFrom here",
        "unsubscribe_url": URL,
        "unsubscribe_mailto": "stop@example.co.jp",
    }
    return Mail(**{**known, **fields})  # type: ignore[arg-type]  # the fields of a test


def test_the_unsubscribe_headers_leave_whole_and_unencoded() -> None:
    head = wire.write(mail()).partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert f"List-Unsubscribe: <{URL}>, <mailto:stop@example.co.jp?subject=unsubscribe>".encode() in head
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    without = wire.write(mail(unsubscribe_mailto=None))
    assert f"List-Unsubscribe: <{URL}>\r\n".encode() in without


def test_the_mail_is_read_back_as_it_was_meant() -> None:
    raw = wire.write(mail(reply_to="hr@example.co.jp"))
    read = email.message_from_bytes(raw, policy=policy.default)
    assert read.get_content_type() == "multipart/alternative"
    plain, html = read.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == "こんにちは\n.\nFrom here\n"
    assert html.get_content().strip() == "<p>こんにちは</p>"
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert read["Subject"] == "山田様、こんにちは"
    assert read["From"].addresses[0].display_name == "株式会社例"
    assert read["Reply-To"] == "hr@example.co.jp"
    assert not read.defects
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_lines_with_encoded_words_are_short() -> None:
    head = wire.write(mail(subject="とても長い件名です" * 24, from_name="株式会社例" * 12)).partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n") if b"=?" in line) <= 76  # RFC 2047, 2


@given(st.text(max_size=250).filter(lambda text: not re.search(r"[\ud800-\udfff]", text)))
def test_subjects_are_words_of_whole_characters(subject: str) -> None:
    shown = wire.encoded(subject)
    assert shown.isascii()
    for word in shown.split("\r\n ") if "=?" in shown else ():
        assert len(word) <= 75
        [(raw, charset)] = decode_header(word)
        assert charset == "utf-8"
        assert isinstance(raw, bytes)
        raw.decode()
    clean = wire._CONTROLS.sub(" ", subject).strip()
    assert str(make_header(decode_header(shown))) == clean or clean != str(make_header(decode_header(clean)))


@given(st.text(), st.text())
def test_no_field_can_add_a_header(name: str, subject: str) -> None:
    evil = f"x{name}\r\nBcc: all@example.com"
    try:
        raw = wire.write(mail(from_name=evil, subject=f"{subject}\nBcc: all@example.com"))
    except UnicodeEncodeError:  # a lone surrogate is refused at the door
        return
    assert b"\r\nBcc:" not in raw.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("to", ["", "x", "a@b\r\nBcc: c@d", "a b@c", "<a@b>", "a@b,c@d", "a@" + "x" * 64 + ".example"])
def test_addresses_that_no_header_can_hold_are_refused(to: str) -> None:
    with pytest.raises(AddressRefused):
        wire.write(mail(to=to))


def test_ids_and_bytes_are_the_same_at_each_attempt() -> None:
    message = new_id()
    assert (
        wire.message_id(message, "a@例え.jp")
        == wire.message_id(message, "b@例え.jp")
        == f"<{message.hex}@xn--r8jz45g.jp>"
    )
    same = mail()
    assert wire.write(same) == wire.write(same)
