"""Some rows of a file at the door for people: what each says, what becomes of it, what follows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from app.candidates import definitions
from app.candidates.custom_fields import POINTER
from app.candidates.retention import DEFAULT_BASIS, expires_on
from app.consent import service as consent
from app.consent.schemas import Basis, ConsentStatement, Evidence
from app.imports import repository, row
from app.imports.columns import Column
from app.imports.happening import Event
from app.imports.models import Import
from app.imports.row import Form, Note, Reading
from app.imports.schemas import EventIn, Staged
from app.intake import service as intake
from app.intake.statement import Admission, Statement
from app.kit.db import Session
from app.kit.pointers import below
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints
from app.touchpoints.schemas import TouchpointIn

DOOR: Final = "import"
CREATED: Final = frozenset({"created", "review"})
VERDICTS: Final = {
    "created": "create",
    "review": "possible_duplicate",
    "linked": "update",
    "updated": "update",
    "unchanged": "unchanged",
    "blocked_erased": "blocked_erased",
}
PERMITTED: Final = ("recruiting", "talent_pool")
"""What a day of consent in such a file is taken to permit by e-mail: being asked about jobs, staying in the pool."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all rows of one import share."""

    id: UUID
    form: Form
    zone: ZoneInfo

    def moment(self, day: date, order: int = 0) -> datetime:
        """Return when a day began where the tenant is; `order` keeps what happened on one day in its order."""
        return (datetime.combine(day, time(), self.zone) + timedelta(seconds=order)).astimezone(UTC)


@dataclass(slots=True)
class Judged:
    """A row, what it says, and what became of it."""

    number: int
    reading: Reading
    verdict: str
    admission: Admission | None = None

    @property
    def candidate_id(self) -> UUID | None:
        return self.admission.candidate_id if self.admission else None

    @property
    def is_created(self) -> bool:
        return self.admission is not None and self.admission.outcome in CREATED

    def as_row(self, *, applied: bool) -> dict[str, Any]:
        """Return the row's columns; what a dry run made is not there any more, so its ids are left out."""
        admission = self.admission if applied or not self.is_created else None
        return {
            "row": self.number,
            "verdict": self.verdict,
            "candidate_id": admission.candidate_id if admission else None,
            "record_id": admission.record_id if admission and applied else None,
            "created": applied and self.is_created,
            "pair_ids": [each.pair_id for each in admission.pairs] if admission and applied else [],
            "errors": [note.as_dict() for note in self.reading.errors],
            "warnings": [note.as_dict() for note in self.reading.warnings],
            "applied": applied and admission is not None and admission.record_id is not None,
        }


async def sheet_of(session: Session, found: Import) -> Sheet:
    """Return what the rows of this import share."""
    tenant = await tenancy.read(session)
    zone = ZoneInfo(tenant.timezone)
    form = Form(
        columns=[Column(each["name"], each["field"]) for each in found.columns],
        source=found.source,
        source_type=found.source_type,
        basis=found.basis,
        region=tenant.country_code,
        today=found.created_at.astimezone(zone).date(),
        event=_event(found.event, zone),
        id_source=found.provider,
        defined=await definitions.known(session),
    )
    return Sheet(found.id, form, zone)


def _event(told: dict[str, Any] | None, zone: ZoneInfo) -> Event | None:
    if told is None:
        return None
    event = EventIn.model_validate(told)
    day = event.starts_at and event.starts_at.astimezone(zone).date()
    return Event(event.id, event.title, event.starts_at, day, event.url, tuple(event.topics))


def read(sheet: Sheet, stored: Staged) -> Judged:
    """Read one row; without errors it has no verdict yet."""
    reading = row.read(sheet.form, stored.cells, stored.flaws)
    unfounded = {note.code for note in reading.errors} == {"no_consent_basis"}
    return Judged(stored.row, reading, "no_consent_basis" if unfounded else "invalid" if reading.errors else "")


async def judge(session: Session, sheet: Sheet, stored: Sequence[Staged]) -> list[Judged]:
    """Bring rows to the door, in their order; what cannot be read stays outside."""
    rows = [read(sheet, each) for each in stored]
    standing = [each for each in rows if not each.reading.errors]
    admissions = await intake.admit(session, [_statement(each.reading) for each in standing], door=DOOR)
    linked = [each.candidate_id for each in admissions if each.outcome == "linked" and each.candidate_id]
    changed = await repository.changed_here(session, linked) if linked else set()
    for each, admission in zip(standing, admissions, strict=True):
        each.admission = admission
        each.verdict = _verdict(sheet, each, admission, changed)
    return rows


def _statement(reading: Reading) -> Statement:
    if reading.fields is None:
        raise AssertionError
    return Statement(reading.fields, basis=reading.grant.basis if reading.grant else None)


def _verdict(sheet: Sheet, judged: Judged, admission: Admission, changed: set[UUID]) -> str:
    if admission.outcome == "linked" and admission.candidate_id not in changed:
        return "unchanged"
    if admission.outcome in VERDICTS:
        return VERDICTS[admission.outcome]
    judged.reading.errors.extend(_notes(sheet, admission))
    return "invalid"


def _notes(sheet: Sheet, admission: Admission) -> list[Note]:
    """Say what the door found wrong with a row; of custom fields, in which column."""
    if admission.outcome == "conflict":
        return [Note("", "match_conflict")]
    columns = {below(POINTER, key): column for column, key in sheet.form.custom_columns}
    custom = [Note(columns[each.pointer], each.code) for each in admission.errors if each.pointer in columns]
    return custom or [Note("", "nothing_identifies")]


async def write(session: Session, sheet: Sheet, stored: Sequence[Staged]) -> list[Judged]:
    """Judge rows for good, with the consents, the touchpoints and the retention that come with them."""
    rows = await judge(session, sheet, stored)
    known = [each for each in rows if each.candidate_id is not None]
    days = {
        each.candidate_id: _kept_until(sheet, each.reading) for each in known if each.candidate_id and each.is_created
    }
    if days:
        await repository.keep_until(session, days)
    statements = await _news(session, [each for judged in known for each in _statements(sheet, judged)])
    if statements:
        await consent.record_statements(session, statements)
    happenings = [each for judged in known for each in _touchpoints(sheet, judged)]
    if happenings:
        await touchpoints.ingest(session, happenings)
    await repository.judge(session, sheet.id, [each.as_row(applied=True) for each in rows])
    return rows


def _kept_until(sheet: Sheet, reading: Reading) -> date:
    """Count from the last contact that the row tells of; a row that tells of none is news of today."""
    applied = [each.on for each in reading.happenings if each.type == "applied"]
    granted = [reading.grant.obtained_on] if reading.grant else []
    basis = reading.grant.basis if reading.grant else DEFAULT_BASIS
    return expires_on(max([*applied, *granted], default=sheet.form.today), basis)


def _statements(sheet: Sheet, judged: Judged) -> Iterator[ConsentStatement]:
    grant = judged.reading.grant
    if grant is None or judged.candidate_id is None:
        return
    for purpose in PERMITTED:
        yield ConsentStatement(
            candidate_id=judged.candidate_id,
            purpose=purpose,
            channel="email",
            status="granted",
            basis=cast("Basis", grant.basis),
            evidence=Evidence(kind="import", detail=str(sheet.id)),
            obtained_at=sheet.moment(grant.obtained_on),
            expires_at=sheet.moment(grant.expires_on + timedelta(days=1)) if grant.expires_on else None,
        )


async def _news(session: Session, statements: Sequence[ConsentStatement]) -> list[ConsentStatement]:
    """Leave out what is written down already: a file that comes twice says nothing new."""
    if not statements:
        return []
    known = await repository.known_grants(session, [each.candidate_id for each in statements])
    fresh = {(each.candidate_id, each.purpose, each.channel, each.obtained_at): each for each in statements}
    return [each for key, each in fresh.items() if key not in known]


def _touchpoints(sheet: Sheet, judged: Judged) -> Iterator[TouchpointIn]:
    """Yield what happened; its id is of person, type and day or event, so that a file that comes twice repeats it."""
    for order, each in enumerate(judged.reading.happenings):
        yield TouchpointIn(
            candidate_id=judged.candidate_id,
            type=each.type,
            occurred_at=each.at or sheet.moment(each.on, order),
            source=sheet.form.source,
            topics=list(each.topics),
            external_id=f"{judged.candidate_id}:{each.type}:{each.key or each.on.isoformat()}",
            data={**each.data, "import_id": str(sheet.id), **({} if each.at else {"precision": "day"})},
        )
