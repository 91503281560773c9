"""Forgetting who somebody was: the ids stay, as those of nobody."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from app.candidates.fields import LISTS, OBJECTS, SCALARS
from app.candidates.merging import members
from app.kit.columns import TENANT
from app.kit.db import Session
from app.normalise.emails import parse_email

_SHORTEST: Final = 5
"""Characters of a value that tells a person; what is shorter stands in too many rows of others."""
_EMPTY: Final = ", ".join(
    (
        *(f"{name} = null" for name in (*SCALARS, OBJECTS[0])),
        *(f"{name} = '[]'" for name in (*LISTS, "warnings")),
        *(f"{name} = '{{}}'" for name in (OBJECTS[1], "provenance")),
        "hidden_at = null, last_interaction_at = null, live_selection_at = null, rejected_at = null",
        "retention_expires_on = null, retention_basis = null, address_state = 'ok'",
    )
)
_OWN: Final = ("identifiers", "external_ids", "terms", "records")
"""In the order in which they point at each other."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What a person is told by: every id they ever had, their records, and what tells them in the text of other rows.

    `addresses` are e-mail addresses and phone numbers in each spelling that is known, `names` what they are called.
    """

    id: UUID
    ids: Sequence[UUID]
    records: Sequence[UUID]
    addresses: frozenset[str]
    names: frozenset[str]

    def told_in(self, text: str) -> bool:
        """Whether a text names the person."""
        small = text.lower()
        return any(each in small for each in told(self.addresses | self.names))


async def traces(session: Session, candidate_id: UUID) -> Traces:
    """Return what a candidate, hidden or not, is told by; to be called while it is all there."""
    people = await members(session, candidate_id)
    former = await session.rows("select old_id from aliases where candidate_id = any(:ids)", ids=people)
    records = await session.rows("select id from records where candidate_id = any(:ids)", ids=people)
    said = await session.rows(
        "select value, raw from identifiers where candidate_id = any(:ids) and kind in ('email', 'phone')", ids=people
    )
    named = await session.rows(
        f"""select full_name, other_names from candidates
            where tenant_id = {TENANT} and id = any(:ids) and full_name is not null""",  # noqa: S608 (constants)
        ids=people,
    )
    names = {row.full_name for row in named} | {name for row in named for name in row.other_names}
    return Traces(
        candidate_id,
        sorted({*people, *(row.old_id for row in former)}),
        [row.id for row in records],
        frozenset(text for row in said for text in _spellings(row.value, row.raw)),
        frozenset(name for name in names if len(name) > 1),
    )


async def erase(session: Session, found: Traces, at: datetime) -> dict[str, int]:
    """Forget everything that tells who these candidates were; return how many rows of what that was."""
    counts = {}
    for table in _OWN:
        counts[table] = await session.run(
            f"delete from {table} where candidate_id = any(:ids)",  # noqa: S608 (constants)
            ids=list(found.ids),
        )
    await session.run(
        f"""update candidates set {_EMPTY}, erased_at = :at, updated_at = :at, version = version + 1
            where tenant_id = {TENANT} and id = any(:ids)""",  # noqa: S608 (constants)
        ids=list(found.ids),
        at=at,
    )
    return {name: counts[name] for name in ("records", "identifiers", "external_ids")}


async def bury(session: Session, tombstone: UUID, at: datetime) -> None:
    """Make the row of nobody, erased from the beginning, that what must be counted belongs to."""
    await session.run(
        "insert into candidates (id, created_at, updated_at, erased_at) values (:id, :at, :at, :at)",
        id=tombstone,
        at=at,
    )


async def overdue(session: Session, ids: Collection[UUID]) -> list[Any]:
    """Return (id, hidden_at) of those of these candidates who are hidden, and neither erased nor merged."""
    return await session.rows(
        f"""select id, hidden_at from candidates where tenant_id = {TENANT} and id = any(:ids)
            and hidden_at is not null and erased_at is null and merged_into is null""",  # noqa: S608 (constants)
        ids=list(ids),
    )


async def version_of(session: Session, candidate_id: UUID) -> int:
    """Return the version of a candidate's row, whoever it is the row of."""
    sql = f"select version from candidates where tenant_id = {TENANT} and id = :id"  # noqa: S608 (constants)
    return int(await session.value(sql, id=candidate_id))


def _spellings(value: str | None, raw: str) -> Iterator[str]:
    """Yield an address as it was written, as its key, as a form encodes it, and as plain digits."""
    parsed = parse_email(raw)
    for text in filter(None, {value, raw, parsed.value if parsed else None}):
        yield text
        if "@" in text:
            yield quote(text, safe="")
        else:
            yield "".join(character for character in text if character.isdigit())


def told(texts: Collection[str]) -> list[str]:
    """Return those of these texts that are long enough to tell a person, in small letters."""
    return sorted({text.lower() for text in texts if len(text) >= _SHORTEST or not text.isascii()})


def patterns(texts: Collection[str]) -> list[str]:
    """Return patterns of `like` that find those of these texts that tell a person, in a text in small letters."""
    escaped = (text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for text in told(texts))
    return [f"%{text}%" for text in escaped]
