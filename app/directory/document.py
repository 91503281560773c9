"""One candidate as the database writes it: the members of CandidateRead, without a detour by Python's values.

That is how those are listed of whom it is plain whether they can be contacted; the gate's business is not said here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from app.candidates.fields import LISTS, OBJECTS, SCALARS
from app.consent.evident import CONTACTABLE, last_day
from app.kit import json

_EMAILS: Final = """(select coalesce(json_agg(item || '{"status": "ok"}'), '[]')
  from jsonb_array_elements(c.email_addresses) as item)"""
_MEMBERS: Final = {
    "id": "c.id",
    "version": "c.version",
    "status": "'active'",
    **{name: f"c.{name}" for name in (*SCALARS, *OBJECTS, *LISTS)},
    "email_addresses": _EMAILS,
    "warnings": "c.warnings",
    "retention": "json_build_object('expires_on', c.retention_expires_on, 'basis', c.retention_basis)",
    "merged_ids": "array(select a.old_id from aliases a where a.candidate_id = c.id order by a.old_id)",
}
_DOCUMENT: Final = ", ".join(f"'{name}', {value}" for name, value in _MEMBERS.items())
COLUMNS: Final = f"""c.id, {CONTACTABLE} as can_contact, cast(json_build_object({_DOCUMENT}) as text) as document,
  c.last_interaction_at, c.created_at, c.updated_at"""
"""Columns of a statement about a candidate `c`, with the parameters that `asked` returns.

Where `can_contact` is null, the gate has to say it, and the document is of no use.
"""


def asked(at: datetime) -> dict[str, Any]:
    """Return the parameters of `COLUMNS` for this moment."""
    return {"at": at, "today": last_day(at)}


def written(rows: Sequence[Any]) -> list[json.Written]:
    """Put those rows of `COLUMNS` together in which the gate has no say; moments are written as everywhere else."""
    plain = [row[:6] for row in rows if row[1] is not None]
    moments = json.dumps([moment for row in plain for moment in row[3:]])[1:-1].split(",")
    return [
        json.Written(
            id_,
            f'{document[:-1]},"can_contact":{"true" if can_contact else "false"},"last_interaction_at":{contact},'
            f'"created_at":{created},"updated_at":{updated}}}',
        )
        for (id_, can_contact, document, *_), contact, created, updated in zip(
            plain, moments[::3], moments[1::3], moments[2::3], strict=False
        )
    ]
