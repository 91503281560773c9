"""People put straight into the tables, filed under the search terms that the doors would file them under."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.candidates.fields import PROFILE
from app.candidates.models import Candidate, Term
from app.candidates.terms import terms_of
from app.kit.db import Session
from app.normalise.names import NameStatement, parse_name

NAMES = tuple(NameStatement.__dataclass_fields__)


async def add_people(session: Session, *people: Mapping[str, Any]) -> list[UUID]:
    """Write candidates with these profile fields; return their ids in order."""
    rows = [Candidate(**person) for person in people]
    session.add_all(rows)
    await session.flush()
    session.add_all(Term(term=term, candidate_id=row.id) for row in rows for term in _terms(row))
    await session.flush()
    return [row.id for row in rows]


def _terms(row: Candidate) -> set[str]:
    stated = {name: getattr(row, name) for name in NAMES if getattr(row, name)}
    name = parse_name(NameStatement(**{**stated, "other_names": tuple(stated.get("other_names", ()))}))
    return terms_of({field: getattr(row, field) for field in PROFILE}, [name] if name else [])
