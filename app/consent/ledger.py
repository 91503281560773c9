"""What the statements of a person say: the law of the ledger, without clock or database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Standing = Literal["missing", "granted", "withdrawn", "expired"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One consent as the ledger keeps it; `id` rises with the moment of recording."""

    id: UUID
    purpose: str
    channel: str
    status: Literal["granted", "withdrawn"]
    basis: str | None
    obtained_at: datetime
    expires_at: datetime | None = None
    lift_suppression: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """How a purpose stands on a channel, and the statement that says so."""

    standing: Standing
    statement: Statement | None = None


def state(statements: Iterable[Statement], purpose: str, channel: str, at: datetime) -> State:
    """Return how `purpose` stands on `channel`, its expiry judged at `at`.

    The newest `obtained_at` wins, a withdrawal wins a tie, of equal grants the one recorded last. All statements count,
    also those obtained after `at`: a question about the past is answered with what is known today.
    """
    own = [each for each in statements if (each.purpose, each.channel) == (purpose, channel)]
    if not own:
        return State("missing")
    last = max(own, key=_rank)
    if last.status == "withdrawn":
        return State("withdrawn", last)
    if last.expires_at is not None and last.expires_at <= at:
        return State("expired", last)
    return State("granted", last)


def standings(statements: Iterable[Statement], at: datetime) -> dict[tuple[str, str], State]:
    """Return the state of every (purpose, channel) that the statements speak of."""
    known = list(statements)
    return {
        (purpose, channel): state(known, purpose, channel, at)
        for purpose, channel in {(each.purpose, each.channel) for each in known}
    }


def lifted_at(statements: Iterable[Statement], channel: str) -> datetime | None:
    """Return the newest moment up to which unsubscriptions from `channel` are lifted, or None.

    Only the person's own consent lifts, and only where it says so: after an opt-out no exception of 特定電子メール法
    art. 3 permits a mail. Its purpose does not matter, for other purposes keep their own ledger.
    """
    return max(
        (
            each.obtained_at
            for each in statements
            if each.channel == channel and each.lift_suppression and (each.status, each.basis) == ("granted", "consent")
        ),
        default=None,
    )


def _rank(statement: Statement) -> tuple[datetime, bool, UUID]:
    return statement.obtained_at, statement.status == "withdrawn", statement.id
