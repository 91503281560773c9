"""Who is sent a mail is exactly who may be, over every combination of what can be on record about a person.

The oracle knows the rules from their wording alone; it shares no code with the gate.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice, product
from typing import Any, Final

import pytest

from app.kit.clock import now
from app.sequences.mailer import NullMailer
from tests.scale import scaled
from tests.sequences.conftest import World

pytestmark = pytest.mark.more
PEOPLE: Final = scaled(0, 10_000)
BASES: Final = (
    None, "consent", "existing_dealings", "written_notice", "published_address", "legitimate_interest",
)  # fmt: skip
PURPOSES: Final = ("talent_pool", "recruiting", "service")
CHANNELS: Final = ("email", "phone")
WITHDRAWALS: Final = ("none", "later", "earlier", "other_purpose", "other_channel", "unsubscribed", "lifted")
SPECIAL: Final = ("none", "suppressed", "expired", "selection", "deleted")
OBTAINED: Final = "2026-02-01T00:00:00Z"
BATCH: Final = 500
LETTERS: Final = str.maketrans("0123456789", "ghiklmnoru")
ASKED: Final = "talent_pool"


@dataclass(frozen=True)
class Case:
    """What is on record about one person."""

    basis: str | None
    purpose: str
    channel: str
    withdrawal: str
    special: str

    @property
    def may_be_sent(self) -> bool:
        """The rules in words: a basis for this purpose and channel, not withdrawn since, and nothing in the way."""
        if self.basis is None or (self.purpose, self.channel) != (ASKED, "email"):
            return False
        if self.withdrawal in {"later", "unsubscribed"}:
            return False
        if self.withdrawal == "lifted" and self.basis != "consent":
            return False
        return self.special == "none"

    @property
    def is_asked(self) -> bool:
        """Whether anything on record is about what is going to be asked, and still valid."""
        is_about = (self.purpose, self.channel) == (ASKED, "email")
        return self.basis is not None and is_about and self.special not in {"expired", "deleted"}

    def statements(self) -> Iterator[dict[str, Any]]:
        """Return what is said about the person, in order."""
        said = {"purpose": self.purpose, "channel": self.channel}
        no = {**said, "status": "withdrawn"}
        if self.withdrawal == "earlier":
            yield {**no, "obtained_at": "2026-01-01T00:00:00Z"}
        if self.basis is not None:
            expiry = {"expires_at": "2026-06-01T00:00:00Z"} if self.special == "expired" else {}
            yield {**said, "status": "granted", "basis": self.basis, "obtained_at": OBTAINED, **expiry}
        if self.withdrawal == "later":
            yield {**no, "obtained_at": "2026-03-01T00:00:00Z"}
        if self.withdrawal == "other_purpose":
            yield {**no, "purpose": "events", "obtained_at": "2026-03-01T00:00:00Z"}
        if self.withdrawal == "other_channel":
            yield {**no, "channel": "sms", "obtained_at": "2026-03-01T00:00:00Z"}


CASES: Final = [Case(*parts) for parts in product(BASES, PURPOSES, CHANNELS, WITHDRAWALS, SPECIAL)]
STRIDE: Final = 4
"""Of the combinations, every fourth is tried by default; no kind of anything is left out."""


async def test_the_sent_set_is_the_oracles(world: World) -> None:
    cases = list(islice(cycle(CASES), PEOPLE)) if PEOPLE else CASES[::STRIDE]
    people = await _people(world, len(cases))
    whole = list(zip(people, cases, strict=True))
    await _say(world, [(who, said) for who, case in whole for said in case.statements()])
    for number, (who, case) in enumerate(whole):
        await _happen(world, number, who, case)
    await _say(world, [(who, _lifting(case)) for who, case in whole if case.withdrawal == "lifted" and case.is_asked])
    await world.drain()
    sequence = await world.sequence()
    for first in range(0, len(people), BATCH):
        body = {"candidate_ids": people[first : first + BATCH]}
        await world.post(f"/v1/sequences/{sequence}/enrollments", body, 207)
    mailer = NullMailer()
    mailer.recorded = deque()
    while await world.send(mailer):
        pass
    sent = Counter(each.recipient for each in mailer.recorded)
    assert set(sent.values()) <= {1}
    expected = {f"o{n}@o{n}.example.com" for n, case in enumerate(cases) if case.may_be_sent}
    assert set(sent) - expected == set()
    assert expected - set(sent) == set()
    assert expected


async def _people(world: World, count: int) -> list[str]:
    made: list[str] = []
    for first in range(0, count, BATCH):
        items = [
            {"full_name": _name(n), "email_addresses": [{"value": f"o{n}@o{n}.example.com"}]}
            for n in range(first, min(first + BATCH, count))
        ]
        made += [each["id"] for each in (await world.post("/v1/candidates/batch-upsert", {"items": items}))["items"]]
    assert len(set(made)) == count
    return made


def _name(number: int) -> str:
    """Return a name like no other: five hundred namesakes at a time are the business of other tests."""
    letters = hashlib.sha256(str(number).encode()).hexdigest().translate(LETTERS)
    return f"{letters[:7]} {letters[7:14]}".title()


async def _say(world: World, statements: list[tuple[str, dict[str, Any]]]) -> None:
    items = [{"candidate_id": who, **said} for who, said in statements]
    for first in range(0, len(items), BATCH):
        answer = await world.post("/v1/consents/batch", {"items": items[first : first + BATCH]}, 207)
        assert answer["counts"]["invalid"] == 0, answer


def _lifting(case: Case) -> dict[str, Any]:
    """Return a newer grant, which lifts an unsubscription when it is the person's own consent."""
    said = {"purpose": case.purpose, "channel": "email", "status": "granted", "basis": case.basis}
    return {**said, "obtained_at": now().isoformat(), "lift_suppression": case.basis == "consent"}


async def _happen(world: World, number: int, who: str, case: Case) -> None:
    address = {"channel": "email", "value": f"o{number}@o{number}.example.com"}
    if case.withdrawal in {"unsubscribed", "lifted"}:
        await world.post("/v1/suppressions", {**address, "reason": "unsubscribed"}, 201)
    if case.special == "suppressed":
        await world.post("/v1/suppressions", {**address, "reason": "manual"}, 201)
    elif case.special == "selection":
        told = {"candidate_id": who, "type": "applied", "occurred_at": OBTAINED, "source": "test"}
        await world.post("/v1/touchpoints", told, 201)
    elif case.special == "deleted":
        assert (await world.api.delete(f"/v1/candidates/{who}")).is_success
