"""What a statement must say to be taken into the ledger."""

from datetime import datetime

from app.consent.schemas import ConsentCreate
from app.kit.errors import FieldError


def faults(statement: ConsentCreate, now: datetime) -> list[FieldError]:
    """Return what is wrong with a statement at the moment `now`; nothing when it may be recorded.

    A grant must say on which basis and since when (特定電子メール法 art. 3(2) asks for a record of both);
    nobody can have said anything in the future.
    """
    found = []
    if statement.status == "granted":
        found += [
            FieldError(f"/{name}", "missing", "A grant needs this field.")
            for name in ("basis", "obtained_at")
            if getattr(statement, name) is None
        ]
    obtained_at, expires_at = statement.obtained_at, statement.expires_at
    if obtained_at is not None and obtained_at > now:
        found.append(FieldError("/obtained_at", "in_the_future", "A statement cannot be obtained in the future."))
    if obtained_at is not None and expires_at is not None and expires_at <= obtained_at:
        found.append(FieldError("/expires_at", "before_obtained_at", "A grant must expire after it was obtained."))
    return found
