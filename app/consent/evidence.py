"""The facts behind contact decisions: read for any number of questions in a bounded number of statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from app.candidates import service as candidates
from app.consent import address, gate, repository, window
from app.consent.address import Address
from app.consent.contact import Question
from app.consent.gate import Block, Cap, Case, Guard, Use
from app.consent.ledger import Statement
from app.consent.window import Calendar, Window
from app.kit.db import Session
from app.tenancy import service as tenancy
from app.tenancy.schemas import SendWindow, TenantRead


@dataclass(frozen=True, slots=True)
class Person:
    """One candidate as the gate sees them."""

    row: Any
    addresses: tuple[Address, ...]
    statements: list[Statement] = field(default_factory=list)
    suppressions: dict[Address, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about all who are asked about: under the asked id, whom it means now."""

    tenant: TenantRead
    people: dict[UUID, Person]

    def knows(self, candidate_id: UUID) -> bool:
        """Whether there is such a candidate, neither hidden nor erased."""
        person = self.people.get(candidate_id)
        return person is not None and not person.row.is_gone

    def case(self, question: Question, at: datetime) -> Case:
        """Return the plain facts of one question, without those that only delay."""
        person = self.people.get(question.candidate_id)
        zone, country = self.tenant.timezone, self.tenant.country_code
        today = gate.local_date(at, zone)
        if person is None:
            return Case(question.channel, question.purpose, at, today, Calendar(zone, country), is_gone=True)
        row = person.row
        return Case(
            question.channel,
            question.purpose,
            at,
            today,
            Calendar(row.timezone or zone, row.country_code or country),
            is_gone=row.is_gone,
            statements=person.statements,
            blocks=tuple(_blocks(person, question.channel)),
            has_address=_has_address(person, question.channel),
            is_bounced=_is_bounced(person, question.channel),
            retention_expires_on=row.retention_expires_on,
            live_selection_at=row.live_selection_at,
            rejected_at=row.rejected_at,
            last_interaction_at=row.last_interaction_at,
        )

    def suppressed(self, channel: str) -> frozenset[str]:
        """Return the match keys of these people's addresses that a suppression holds for on `channel`."""
        kind = address.KIND_OF[channel]
        return frozenset(
            each.key
            for person in self.people.values()
            for each, rows in person.suppressions.items()
            if each.kind == kind and any(row.channel in (channel, "any") or row.reason == "erased" for row in rows)
        )

    def rules(self, question: Question) -> dict[str, Any]:
        """Return the tenant's own rules for a question, as fields of a Case."""
        cap = getattr(self.tenant.frequency_caps, question.channel, None)
        guard = self.tenant.fatigue_guard
        own = [read_window(self.tenant.send_window)] if self.tenant.send_window else []
        return {
            "windows": (*own, *question.windows),
            "cap": Cap(cap.max, cap.days) if cap else None,
            "guard": Guard(guard.after, guard.action) if guard else None,
        }


async def gather(session: Session, ids: Collection[UUID], *, lock: bool = False) -> Facts:
    """Read everything that can forbid a contact, in four statements."""
    tenant = await tenancy.read(session)
    rows = await repository.people(session, ids, lock=lock)
    people = {row.asked: Person(row, _addresses(row, tenant.country_code)) for row in rows}
    by_id: dict[UUID, list[Person]] = {}
    for person in people.values():
        by_id.setdefault(person.row.id, []).append(person)
    for row in await repository.statements(session, by_id) if by_id else ():
        for person in by_id[row.candidate_id]:
            person.statements.append(statement_of(row))
    await _add_suppressions(session, people.values())
    return Facts(tenant, people)


async def delays(session: Session, facts: Facts, asked: Sequence[tuple[Question, datetime]]) -> list[dict[str, Any]]:
    """Return what may delay each contact, as fields of a Case, in two more statements."""
    used = await _uses(session, facts, asked)
    ids = {person.row.id for person in facts.people.values()}
    held = {row.candidate_id: row for row in await repository.leases(session, ids)} if ids else {}

    def leased_until(question: Question) -> datetime | None:
        person = facts.people.get(question.candidate_id)
        lease = held.get(person.row.id) if person else None
        return lease.expires_at if lease and lease.holder != session.caller.holder else None

    return [
        {**facts.rules(question), "uses": used.get(place, ()), "leased_until": leased_until(question)}
        for place, (question, _) in enumerate(asked)
    ]


def read_window(plain: SendWindow) -> Window:
    """Return a window as it is stored in the form in which it is computed with."""
    return Window(
        frozenset(window.WEEKDAYS.index(day) for day in plain.weekdays),
        window.minutes(plain.from_),
        window.minutes(plain.to),
        skip_holidays=plain.holidays == "skip",
    )


async def _uses(
    session: Session, facts: Facts, asked: Sequence[tuple[Question, datetime]]
) -> Mapping[int, tuple[Use, ...]]:
    cap, guard = facts.tenant.frequency_caps.email, facts.tenant.fatigue_guard
    limit = max(cap.max if cap else 0, guard.after if guard else 0)
    keys = [
        (facts.people[each.candidate_id].row.id, each.channel, at, each.message_id)
        if each.candidate_id in facts.people
        else (each.candidate_id, each.channel, at, each.message_id)
        for each, at in asked
    ]
    rows = await repository.uses(session, keys, limit) if limit else []
    return {
        place - 1: tuple(Use(row.counted_at, row.human_sign_at) for row in group)
        for place, group in groupby(rows, key=lambda row: row.place)
    }


async def _add_suppressions(session: Session, people: Collection[Person]) -> None:
    holders: dict[bytes, list[tuple[Person, Address]]] = {}
    for person in people:
        for each in person.addresses:
            value = candidates.identifier_hash(session.tenant_id, each.kind, each.key)
            holders.setdefault(value, []).append((person, each))
    for row in await repository.suppressions_of(session, holders) if holders else ():
        for person, each in holders[row.value_hmac]:
            person.suppressions.setdefault(each, []).append(row)


def _addresses(row: Any, country_code: str) -> tuple[Address, ...]:  # noqa: ANN401 (a row)
    emails = sorted(row.email_addresses, key=lambda item: not item.get("is_primary"))
    return address.of_person(
        [item["value"] for item in emails if item.get("value")],
        [item["value"] for item in row.phone_numbers if item.get("value")],
        [item["url"] for item in row.links if item.get("url")],
        frozenset(row.bounced),
        row.country_code or country_code,
    )


def statement_of(row: Any) -> Statement:  # noqa: ANN401 (a row)
    """Return a row of the ledger as its law reads it."""
    return Statement(
        row.id,
        row.purpose,
        row.channel,
        row.status,
        row.basis,
        row.obtained_at,
        row.expires_at,
        lift_suppression=row.lift_suppression,
    )


def _blocks(person: Person, channel: str) -> Iterable[Block]:
    """Yield the suppressions that hold on `channel`; an erased address holds on every channel."""
    for each, reasons in address.meets(person.addresses, address.KIND_OF[channel]):
        for row in person.suppressions.get(each, ()):
            if row.channel in (channel, "any") and row.reason in reasons:
                yield Block(row.reason, row.since)
    for row in (row for rows in person.suppressions.values() for row in rows):
        if row.reason == "erased":
            yield Block(row.reason, row.since)


def _has_address(person: Person, channel: str) -> bool:
    kind = address.REACHED_BY.get(channel)
    return kind is None or address.target(person.addresses, kind) is not None


def _is_bounced(person: Person, channel: str) -> bool:
    aim = address.target(person.addresses, address.KIND_OF[channel])
    return aim is not None and aim.is_bounced
