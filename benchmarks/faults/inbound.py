"""What the harness of signals sends: events through three doors, each one to five times, some malformed, some forged.

Copies are shuffled, then put into calls of any size, so that hardly any two calls have the same bytes.
"""

import random
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.connectors import sendgrid
from app.kit import json

START: Final = 1_760_000_000
COPIES: Final = 5
SHARE: Final = 0.01
"""So many of the events are malformed, and as many are forged."""
TORN: Final = 0.5
"""Of the malformed, so many are in a body of their own that breaks off; the others stand among good ones."""
SIZES: Final = {"sendgrid": 60, "generic": 20, "batch": 120}
"""How many events a call of each door has, on an average."""
PEOPLE: Final = 400
KNOWN, LATE = range(200), range(200, 300)
"""Who is there from the beginning, and who comes while events about them come; the others never do."""
AGENT: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
)
HEADER: Final = "x-harness-secret"
MAPPING: Final = {
    "header": HEADER,
    "mapping": {"items": "/events", "external_id": "/id", "type": "/kind", "occurred_at": "/at", "email": "/email"},
    "types": {"visit": "page_viewed"},
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as its sender names it."""

    number: int
    door: str
    manner: str = ""
    """Nothing, or `malformed`, `torn`, `forged`."""

    @property
    def name(self) -> str:
        return f"{self.manner}-{self.number}"

    @property
    def email(self) -> str:
        return address(self.number % PEOPLE)

    def item(self) -> dict[str, Any]:
        """Return it as its door takes it."""
        item = _ITEMS[self.door](self)
        if self.manner == "malformed":
            del item[_TIMES[self.door]]
        return item


def address(person: int) -> str:
    """Return the e-mail address of somebody."""
    return f"p{person}@example.com"


def _of_sendgrid(event: Event) -> dict[str, Any]:
    return {
        "email": event.email,
        "event": ("delivered", "open", "click")[event.number // len(SIZES) % 3],
        "timestamp": START + event.number,
        "sg_event_id": event.name,
        "sg_message_id": f"mail-{event.number % PEOPLE}-{event.number // (9 * PEOPLE)}",
        "useragent": AGENT,
        "url": "https://www.example.co.jp/event",
    }


def _of_generic(event: Event) -> dict[str, Any]:
    return {"id": event.name, "kind": "visit", "at": START + event.number, "email": event.email}


def _of_batch(event: Event) -> dict[str, Any]:
    return {
        "email": event.email,
        "type": "page_viewed",
        "occurred_at": datetime.fromtimestamp(START + event.number, UTC).isoformat(),
        "source": "batch",
        "external_id": event.name,
    }


_ITEMS: Final[Mapping[str, Callable[[Event], dict[str, Any]]]] = {
    "sendgrid": _of_sendgrid,
    "generic": _of_generic,
    "batch": _of_batch,
}
_TIMES: Final = {"sendgrid": "timestamp", "generic": "at", "batch": "occurred_at"}


@dataclass(frozen=True, slots=True)
class Call:
    """One body, sent again until it is answered."""

    door: str
    events: tuple[Event, ...]
    raw: bytes
    manner: str = ""
    """Nothing, or `torn`, `forged`: of all that is in it."""


def calls(events: int, dice: random.Random) -> list[Call]:
    """Return the calls that tell of so many events, in the order in which they are made."""
    heaps: dict[tuple[str, str], list[Event]] = {}
    for number in range(events):
        event = Event(number, dice.choice(list(SIZES)), _manner(dice))
        together = "" if event.manner == "malformed" else event.manner
        heaps.setdefault((event.door, together), []).extend([event] * dice.randint(1, COPIES))
    made = [
        _call(door, manner, part) for (door, manner), heap in heaps.items() for part in _parts(door, manner, heap, dice)
    ]
    dice.shuffle(made)
    return made


def _manner(dice: random.Random) -> str:
    drawn = dice.random()
    if drawn < SHARE:
        return "torn" if drawn < SHARE * TORN else "malformed"
    return "forged" if drawn < 2 * SHARE else ""


def _parts(door: str, manner: str, heap: list[Event], dice: random.Random) -> Iterator[Sequence[Event]]:
    dice.shuffle(heap)
    at = 0
    while at < len(heap):
        size = 1 if manner == "torn" else dice.randint(1, 2 * SIZES[door] - 1)
        yield heap[at : at + size]
        at += size


def _call(door: str, manner: str, events: Sequence[Event]) -> Call:
    items = [event.item() for event in events]
    raw = json.dumpb({"events": items} if door == "generic" else items)
    return Call(door, tuple(events), raw[:-1] if manner == "torn" else raw, manner)


class Keys:
    """What the senders sign with, and what a forger has in place of it."""

    def __init__(self) -> None:
        self._right, self._wrong = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> str:
        known = self._right.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(known).decode()

    def headers(self, call: Call, secrets: Mapping[str, str]) -> dict[str, str]:
        """Sign a call; `secrets` are what the other two doors want."""
        is_forged = call.manner == "forged"
        if call.door == "sendgrid":
            stamp = str(int(datetime.now(UTC).timestamp()))
            key = self._wrong if is_forged else self._right
            signature = b64encode(key.sign(stamp.encode() + call.raw, ec.ECDSA(SHA256()))).decode()
            return {sendgrid.SIGNATURE_HEADER: signature, sendgrid.TIMESTAMP_HEADER: stamp}
        secret = secrets[call.door][:-1] + "~" if is_forged else secrets[call.door]
        return {HEADER: secret} if call.door == "generic" else {"authorization": f"Bearer {secret}"}
