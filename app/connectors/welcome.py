"""People whom a registration brings: they come in by the one door, where the connection allows it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from app.candidates.schemas import CandidateFields
from app.connectors.gathering import SOURCE_TYPE
from app.connectors.reading import section
from app.connectors.signals import Signal, text
from app.intake import service as intake
from app.intake.statement import Statement
from app.kit.db import Session

DOOR: Final = "connector"
REGISTERED: Final = "event_registered"
REACHED_BY: Final = ("email_addresses", "phone_numbers")


async def admit(session: Session, strangers: Sequence[Signal]) -> None:
    """Bring in who has registered and is not known; their touchpoints attach by themselves."""
    fields = [fields_of(each) for each in strangers if each.type == REGISTERED]
    statements = [Statement(each) for each in fields if each is not None]
    if statements:
        await intake.admit(session, statements, door=DOOR)


def fields_of(signal: Signal) -> CandidateFields | None:
    """Return what is fit to be kept of a person who has registered; None where nothing reaches them."""
    gathering = section(signal.data, "event")
    source = {"type": SOURCE_TYPE, "name": text(gathering, "title"), "occurred_on": _day(signal)}
    told = {**signal.profile, "sources": [source]}
    readable = {name: value for name, value in told.items() if _fits({name: value})}
    return CandidateFields.model_validate(readable) if any(name in readable for name in REACHED_BY) else None


def _day(signal: Signal) -> date:
    return signal.occurred_at.date()


def _fits(fields: Mapping[str, Any]) -> bool:
    try:
        CandidateFields.model_validate(fields)
    except ValidationError:
        return False
    return True
