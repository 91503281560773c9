"""Keeping positions, and finding who fits one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.consent import service as consent
from app.consent.contact import Decision, Question
from app.consent.schemas import DecisionRead
from app.kit import json
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import FieldError
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.pools import criteria_fields
from app.pools import service as pools
from app.pools.schemas import ReadOnly
from app.positions.errors import PositionNotFound, TooManyWishes
from app.positions.models import Position
from app.positions.repository import Asked, MatchRepository, Place, PositionRepository
from app.positions.schemas import (
    WISHES_MAX,
    MatchPage,
    MatchRead,
    PositionCreate,
    PositionRead,
    PositionUpdate,
    WishRead,
)
from app.tenancy import service as tenancy

READ_ONLY: Final = set(ReadOnly.model_fields)
CHANNEL: Final = "email"
PURPOSE: Final = "recruiting"
"""What the contact decision of a match is about."""


async def find(session: Session, position_id: UUID, *, lock: bool = False) -> Position:
    """Return a position's row; raises PositionNotFound."""
    position = await PositionRepository(session).get(position_id, lock=lock)
    if position is None:
        raise PositionNotFound
    return position


async def page(session: Session, paging: Paging) -> Page[PositionRead]:
    """Return the positions, the newest first."""
    repository = PositionRepository(session)
    rows, total = await repository.newest(repository.visible(), paging, "positions")
    return paging.page(rows, PositionRead.model_validate, lambda row: [row.id], "positions", total=total)


async def create(session: Session, body: PositionCreate) -> PositionRead:
    """Open a position; raises CriteriaInvalid, PoolNotFound, ScoreModelNotFound."""
    position = Position(**body.model_dump(exclude=READ_ONLY))
    await _check(session, position)
    await PositionRepository(session).add(position)
    return PositionRead.model_validate(position)


async def change(session: Session, position: Position, patch: PositionUpdate) -> PositionRead:
    """Change what `patch` holds; raises CriteriaInvalid, PoolNotFound, ScoreModelNotFound, TooManyWishes."""
    kept = patch.model_dump(include=patch.model_fields_set - READ_ONLY)
    if "wishes" in kept:
        kept["wishes"] = _changed(position.wishes, **kept["wishes"])
    if changed := position.change(kept):
        if changed - {"name"}:
            await _check(session, position)
        await PositionRepository(session).save()
    return PositionRead.model_validate(position)


def _changed(wishes: Sequence[dict[str, Any]], add: Sequence[dict[str, Any]], remove: Sequence[Any]) -> list[Any]:
    """Return wishes after a patch; raises TooManyWishes."""
    taken = {json.canonical(each.get("criteria", each) if isinstance(each, dict) else each) for each in remove}
    found = {json.canonical(each["criteria"]): each for each in (*wishes, *add)}
    left = [wish for key, wish in found.items() if key not in taken]
    if len(left) > WISHES_MAX:
        raise TooManyWishes(errors=[FieldError("/wishes", TooManyWishes.code, TooManyWishes.sentence())])
    return left


async def remove(session: Session, position: Position) -> None:
    """Close a position; nothing of it is kept."""
    await session.delete(position)
    await session.flush()


async def _check(session: Session, position: Position) -> None:
    await pools.check_criteria(session, position.criteria, "/criteria")
    for place, wish in enumerate(position.wishes):
        await pools.check_criteria(session, wish["criteria"], f"/wishes/{place}/criteria")
    await pools.check_model(session, position.score_model)


async def matches(session: Session, paging: Paging, position: Position) -> MatchPage:
    """Return who fits, in order, all pages as of the moment of the first."""
    bound = ("matches", str(position.id), position.version)
    keys = paging.after(*bound)
    as_of = datetime.fromisoformat(keys[0]) if keys else now()
    after = Place(keys[1], keys[2], UUID(keys[3])) if keys else None
    before = keys[4] if keys else 0
    repository, asked = MatchRepository(session), await _asked(session, position, as_of)
    places = await repository.page(asked, after, paging.limit + 1)
    shown = await _rows(session, position, places[: paging.limit], before)
    ranked = {row.candidate_id: row for row in shown}
    found = paging.page(
        places,
        lambda place: ranked[place.candidate_id],
        lambda place: [as_of.isoformat(), place.fit, place.score, place.candidate_id, before + len(shown)],
        *bound,
        total=await repository.count(asked) if paging.include_total else None,
    )
    return MatchPage(**dict(found), as_of=as_of)


async def _asked(session: Session, position: Position, as_of: datetime) -> Asked:
    zone = ZoneInfo((await tenancy.read(session)).timezone)
    return Asked(
        criteria=criteria_fields.read(position.criteria, "/criteria"),
        wishes=[(criteria_fields.read(each["criteria"], "/wishes"), each["weight"]) for each in position.wishes],
        model=position.score_model,
        at=as_of.astimezone(zone),
    )


async def _rows(session: Session, position: Position, places: Sequence[Place], before: int) -> list[MatchRead]:
    questions = [Question(each.candidate_id, CHANNEL, PURPOSE) for each in places]
    decisions = await consent.decide(session, questions, keep=False) if questions else []
    wishes = [WishRead.model_validate(each) for each in position.wishes]

    def row(rank: int, place: Place, decision: Decision) -> MatchRead:
        return MatchRead(
            candidate_id=place.candidate_id,
            rank=rank,
            fit=place.fit,
            score=place.score,
            met=[wish for wish, holds in zip(wishes, place.met, strict=True) if holds],
            unmet=[wish for wish, holds in zip(wishes, place.met, strict=True) if not holds],
            contact=DecisionRead.model_validate(decision),
        )

    return [row(rank, *pair) for rank, pair in enumerate(zip(places, decisions, strict=True), before + 1)]
