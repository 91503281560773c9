"""What one row says: a statement about a person, their consent, what happened; and what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from app.candidates.custom_fields import Definition
from app.candidates.schemas import CandidateFields
from app.imports import attendance, cell
from app.imports.attendance import Presence
from app.imports.columns import Column
from app.imports.happening import Event, Happening
from app.normalise.emails import parse_email
from app.normalise.phones import parse_phone
from app.normalise.text import clean

CONSENT: Final = "consent"
PAST_APPLICANT: Final = "past_applicant"
OTHER: Final = "other"
IDENTIFYING: Final = ("full_name", "family_name", "given_name", "email_addresses", "phone_numbers", "external_ids")

DETAILS: Final[Mapping[str, str]] = {
    "nothing_identifies": "The row has no name, no valid e-mail address, no valid phone number and no id.",
    "invalid_email": "This is not an e-mail address.",
    "invalid_phone": "This is not a phone number.",
    "invalid_date": "This is not a day of the calendar.",
    "future_date": "This day is still to come.",
    "invalid_years": "This is not a number of years.",
    "unreadable_text": "The cell holds characters that could not be read.",
    "cell_too_long": "The cell holds more than 32,767 characters.",
    "too_many_cells": "The row has more cells than the header; a quotation mark may be missing.",
    "invalid_json": "The line is not a JSON object.",
    "invalid_value": "This value does not have the form that the field asks.",
    "no_consent_basis": "The import asks for consent, and the row has none: no day of it, and no agreement.",
    "unknown_result": "The result is not known; nothing was noted of it.",
    "unknown_attendance": "Whether this person came is not said in a known word; only the registration was noted.",
    "result_without_date": "The result has no day; nothing was noted of it.",
    "selection_goes_on": "An application without a result counts as a selection that goes on: nobody writes meanwhile.",
    "unread_address": "No prefecture or city was found in the address.",
    "wrong_type": "This is not of the type that the field is defined with.",
    "unknown_option": "This is not one of the field's options.",
    "sensitive_field": "What this column holds must not be kept of applicants without a reason in its definition.",
    "match_conflict": "The ids of the row belong to different people.",
    "unmapped_column": "No field takes this column; it was left out.",
    "duplicate_column": "Another column fills the same field; this one was left out.",
    "forbidden_column": "What this column holds must not be kept of applicants; it was left out.",
    "mapped_column_missing": "The mapping names this column, and the file does not have it.",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A consent that the row brings: the day it was given, and the last one it holds."""

    basis: str
    obtained_on: date
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say about a cell; `column` is empty when it is about the whole row."""

    column: str
    code: str

    def as_dict(self) -> dict[str, str]:
        return {"column": self.column, "code": self.code, "detail": DETAILS.get(self.code, DETAILS["invalid_value"])}


@dataclass(slots=True)
class Reading:
    """What a row says; with `errors` it says nothing that may be written."""

    fields: CandidateFields | None = None
    grant: Grant | None = None
    happenings: list[Happening] = field(default_factory=list)
    errors: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Form:
    """What holds for every row of a file. `basis` is the demanded one; `today` is the day of the upload."""

    columns: Sequence[Column]
    source: str
    source_type: str | None
    basis: str | None
    region: str
    today: date
    event: Event | None = None
    id_source: str | None = None
    defined: Mapping[str, Definition] = field(default_factory=dict)
    """The custom fields that are defined, by key."""

    @property
    def custom_columns(self) -> list[tuple[str, str]]:
        """The columns of custom fields, each with its key."""
        named = [(each.name, (each.field or "").partition(".")) for each in self.columns]
        return [(name, key) for name, (field, _, key) in named if field == "custom_fields"]

    @property
    def ids_of(self) -> str:
        """The system that the people's ids belong to."""
        return self.id_source or self.source


class _Row:
    """One row while it is read."""

    def __init__(self, form: Form, cells: Sequence[str | None]) -> None:
        self.form = form
        self.reading = Reading()
        self.values: dict[str, Any] = {}
        self.days: dict[str, date] = {}
        self.result: tuple[str, str] | None = None
        self.states: set[Presence] = set()
        self.agrees = False
        self.source: dict[str, str] = {}
        self.column_of: dict[str, str] = {}
        for column, text in zip(form.columns, cells, strict=False):
            if column.field and text:
                self.column_of.setdefault(column.field.partition(".")[0], column.name)
                self._take(column.name, column.field, text)

    def error(self, column: str, code: str) -> None:
        self.reading.errors.append(Note(column, code))

    def warn(self, column: str, code: str) -> None:
        self.reading.warnings.append(Note(column, code))

    def _take(self, column: str, path: str, text: str) -> None:
        name, _, part = path.partition(".")
        if name in _DAYS:
            self._day(column, name, text)
        elif name in _TAKERS:
            _TAKERS[name](self, column, part, text)
        else:
            self.values[name] = text

    def _day(self, column: str, name: str, text: str) -> None:
        try:
            self.days[name] = cell.day(text)
        except ValueError:
            self.error(column, "invalid_date")
            return
        if name != "consent_expires_on" and self.days[name] > self.form.today:
            self.error(column, "future_date")

    def emails(self, column: str, _: str, text: str) -> None:
        for value in cell.contacts(text):
            if parse_email(value) is None:
                self.warn(column, "invalid_email")
            self.values.setdefault("email_addresses", []).append({"value": value})

    def phones(self, column: str, _: str, text: str) -> None:
        for value in cell.contacts(text):
            if parse_phone(value, self.form.region) is None:
                self.warn(column, "invalid_phone")
            self.values.setdefault("phone_numbers", []).append({"value": value})

    def external_id(self, _: str, __: str, text: str) -> None:
        self.values.setdefault("external_ids", []).append({"source": self.form.ids_of, "id": text})

    def link(self, _: str, part: str, text: str) -> None:
        self.values.setdefault("links", []).append({"url": text, **({"type": part} if part else {})})

    def skills(self, _: str, __: str, text: str) -> None:
        self.values.setdefault("skills", []).extend({"name": word} for word in cell.words(text))

    def words_of(self, name: str, text: str) -> None:
        self.values.setdefault(name, []).extend(cell.words(text))

    def years(self, column: str, _: str, text: str) -> None:
        try:
            self.values["years_of_experience"] = cell.years(text)
        except ValueError:
            self.error(column, "invalid_years")

    def location(self, column: str, part: str, text: str) -> None:
        found = {part: text.upper() if part == "country_code" else text} if part != "address" else cell.place(text)
        if not found:
            self.warn(column, "unread_address")
            return
        known = self.values.setdefault("location", {})
        self.values["location"] = {**known, **found} if part != "address" else {**found, **known}

    def custom(self, _: str, part: str, text: str) -> None:
        self.values.setdefault("custom_fields", {})[part] = cell.as_defined(text, self.form.defined.get(part))

    def met(self, _: str, part: str, text: str) -> None:
        self.source[part] = text

    def outcome(self, column: str, _: str, text: str) -> None:
        known = cell.result(text)
        if known is None:
            self.warn(column, "unknown_result")
        else:
            self.result = (known, clean(text))

    def registration(self, _: str, __: str, text: str) -> None:
        self.states.add(attendance.registration(text))

    def presence(self, column: str, _: str, text: str) -> None:
        known = attendance.presence(text)
        if known is None:
            self.warn(column, "unknown_attendance")
        else:
            self.states.add(known)

    def agreement(self, _: str, __: str, text: str) -> None:
        self.agrees = attendance.agrees(text)


_Taker = Callable[[_Row, str, str, str], None]


def _words(name: str) -> _Taker:
    return lambda row, _, __, text: row.words_of(name, text)


_DAYS: Final = frozenset(
    {"birth_date", "applied_on", "decided_on", "registered_on", "consented_on", "consent_expires_on"}
)
_TAKERS: Final[Mapping[str, _Taker]] = {
    "email_addresses": _Row.emails,
    "phone_numbers": _Row.phones,
    "external_ids": _Row.external_id,
    "links": _Row.link,
    "skills": _Row.skills,
    "interests": _words("interests"),
    "tags": _words("tags"),
    "other_names": _words("other_names"),
    "years_of_experience": _Row.years,
    "location": _Row.location,
    "custom_fields": _Row.custom,
    "source": _Row.met,
    "result": _Row.outcome,
    "registration": _Row.registration,
    "attendance": _Row.presence,
    "consented": _Row.agreement,
}


def read(form: Form, cells: Sequence[str | None], flaws: Sequence[Sequence[Any]] = ()) -> Reading:
    """Read one row; never raises: what is wrong stands in `errors`, and then the row is invalid."""
    row = _Row(form, cells)
    for index, code in flaws:
        row.error(form.columns[index].name if index < len(form.columns) else "", str(code))
    if row.reading.errors:
        return row.reading
    _finish(row)
    return row.reading


def _finish(row: _Row) -> None:
    if "birth_date" in row.days:
        row.values["birth_date"] = row.days["birth_date"]
    row.values["sources"] = [_source(row)]
    if row.agrees:
        row.days.setdefault("consented_on", row.days.get("registered_on", row.form.today))
    _hold_to_identity(row)
    row.reading.grant = _grant(row)
    row.reading.happenings = list(_happenings(row))
    if not row.reading.errors:
        _build(row)


def _build(row: _Row) -> None:
    try:
        row.reading.fields = CandidateFields.model_validate(row.values)
    except ValidationError as error:
        for place in {str(item["loc"][0]): None for item in error.errors(include_url=False)}:
            row.error(row.column_of.get("source" if place == "sources" else place, ""), "invalid_value")


def _hold_to_identity(row: _Row) -> None:
    """A row must name somebody: where only an unreadable address or number would, that is the error."""
    named = any(
        row.values.get(name) for name in (*IDENTIFYING[:3], "external_ids", "full_name_kana", "family_name_kana")
    )
    unread = [note for note in row.reading.warnings if note.code in {"invalid_email", "invalid_phone"}]
    values = len(row.values.get("email_addresses", ())) + len(row.values.get("phone_numbers", ()))
    if named or values > len(unread):
        return
    if unread:
        row.reading.errors += unread
        row.reading.warnings = [note for note in row.reading.warnings if note not in unread]
        return
    fields = {column.field: column.name for column in reversed(row.form.columns)}
    row.error(next((fields[name] for name in IDENTIFYING if name in fields), ""), "nothing_identifies")


def _source(row: _Row) -> dict[str, Any]:
    was_applicant = "applied_on" in row.days or row.result is not None
    kind = row.form.source_type or (PAST_APPLICANT if was_applicant else OTHER)
    event = row.form.event
    begun = row.days.get("applied_on") or (event and event.day)
    return {"type": kind, "occurred_on": begun, **({"name": event.title} if event else {}), **row.source}


def _grant(row: _Row) -> Grant | None:
    """Return what the row permits.

    A day of consent is a consent, under the basis that the form names. Where the form demands consent, a row without
    its day has no basis; any other basis is the importer's own claim, and holds from the application or the upload on.
    """
    basis, day = row.form.basis, row.days.get("consented_on")
    if day is None and basis == CONSENT:
        row.error(row.column_of.get("consented_on", row.column_of.get("consented", "")), "no_consent_basis")
        return None
    if day is None and basis is None:
        return None
    begun = day or row.days.get("applied_on") or row.form.today
    return Grant(basis or CONSENT, begun, row.days.get("consent_expires_on"))


def _happenings(row: _Row) -> Iterator[Happening]:
    """Yield the application, and how it ended on the day that is known for that, else on the same day."""
    if row.form.event is not None:
        yield from attendance.happenings(row.form.event, row.form.today, row.days.get("registered_on"), row.states)
    applied, source_type = row.days.get("applied_on"), row.form.source_type
    is_selection = source_type in {None, PAST_APPLICANT, "offer_declined"}
    if applied and is_selection:
        yield Happening("applied", applied)
        if row.result is None:
            row.warn(row.column_of["applied_on"], "selection_goes_on")
    if row.result:
        day = row.days.get("decided_on") or applied
        if day is None:
            row.warn(row.column_of["result"], "result_without_date")
        else:
            yield Happening(row.result[0], day, {"result": row.result[1]})
