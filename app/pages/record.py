"""What a person sees of their own record, and how they correct it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import ValidationError

from app.candidates import service as candidates
from app.candidates.schemas import CandidatePatch
from app.consent import evidence, ledger
from app.intake import service as intake
from app.intake.statement import Statement
from app.kit.clock import now
from app.kit.db import Session
from app.pages.door import Form, one
from app.privacy import service as privacy

EDITABLE: Final = ("full_name", "full_name_kana", "current_company", "headline", "city", "interests")
"""What a person may correct by themselves: nothing by which they are known to be who they are."""
SHOWN: Final = (
    *("full_name", "full_name_kana", "other_names", "birth_date", "email_addresses", "phone_numbers", "links"),
    *("headline", "current_company", "department", "location", "years_of_experience", "skills", "interests"),
    *("tags", "sources", "external_ids", "custom_fields", "language"),
)
LAST: Final = 10
DOOR: Final = "self"
_COMMAS: Final = str.maketrans({"、": ",", "，": ",", "\n": ","})


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a person, as they read it: their profile, what they may correct, consents, the last entries."""

    profile: Sequence[tuple[str, Sequence[str]]]
    editable: Mapping[str, str]
    consents: Sequence[tuple[str, str, ledger.Standing, datetime | None]]
    timeline: Sequence[tuple[datetime, str, str]]
    entries: int
    kept_until: date | None


async def read(session: Session, person: UUID) -> Kept:
    """Return what is kept of a person who is there."""
    profile = (await candidates.profiles(session, [person]))[person]
    facts = await evidence.gather(session, [person])
    standings = ledger.standings(facts.people[person].statements, now())
    entries, last = await privacy.timeline(session, person, LAST)
    return Kept(
        [(name, lines) for name in SHOWN if (lines := list(_lines(name, profile.fields[name])))],
        _editable(profile.fields),
        sorted(
            (purpose, channel, state.standing, state.statement.obtained_at if state.statement else None)
            for (purpose, channel), state in standings.items()
        ),
        [(row.occurred_at, row.type, row.source) for row in last],
        entries,
        profile.retention_expires_on,
    )


async def correct(session: Session, person: UUID, fields: Form) -> Literal["corrected", "unchanged", "refused"]:
    """Take a person's own correction in by the one door: nothing stands over it."""
    before = _editable((await candidates.profiles(session, [person]))[person].fields)
    changed = {name: one(fields, name) for name in EDITABLE if name in fields and _differs(name, fields, before)}
    if not changed:
        return "unchanged"
    try:
        patch = CandidatePatch.model_validate(dict(_patch(changed, before)))
    except ValidationError:
        return "refused"
    [admission] = await intake.admit(session, [Statement(patch, target=person)], door=DOOR)
    return "corrected" if admission.outcome in {"updated", "unchanged"} else "refused"


def _patch(changed: Mapping[str, str], before: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, value in changed.items():
        if name == "city":
            yield "location", {"city": value or None}
        elif name == "interests":
            wanted, had = _words(value), _words(before[name])
            yield (
                "interests",
                {"add": [each for each in wanted if each not in had]}
                | {"remove": [each for each in had if each not in wanted]},
            )
        else:
            yield name, value or None


def _differs(name: str, fields: Form, before: Mapping[str, str]) -> bool:
    if name == "interests":
        return set(_words(one(fields, name))) != set(_words(before[name]))
    return one(fields, name) != before[name]


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word for part in text.translate(_COMMAS).split(",") if (word := part.strip())))


def _editable(fields: Mapping[str, Any]) -> dict[str, str]:
    shown = {name: fields.get(name) or "" for name in EDITABLE}
    return {**shown, "city": (fields["location"] or {}).get("city") or "", "interests": ", ".join(fields["interests"])}


def _lines(name: str, value: Any) -> Iterator[str]:  # noqa: ANN401 (any JSON value)
    """Yield a field's values as a person reads them."""
    if value in (None, "", [], {}):
        return
    if isinstance(value, list):
        for item in value:
            yield _item(name, item)
    elif isinstance(value, dict):
        for key, each in value.items():
            if each not in (None, "", [], {}):
                yield f"{key}: {each}" if name == "custom_fields" else str(each)
    else:
        yield str(value)


def _item(name: str, item: Any) -> str:  # noqa: ANN401 (any JSON value)
    if not isinstance(item, dict):
        return str(item)
    members = {
        "email_addresses": ("value", "raw"),
        "phone_numbers": ("value", "raw"),
        "links": ("url",),
        "skills": ("name",),
        "external_ids": ("source", "id"),
        "sources": ("type", "name", "occurred_on"),
    }[name]
    told = [str(item[member]) for member in members if item.get(member)]
    return told[0] if name in {"email_addresses", "phone_numbers"} else " ".join(told)
