"""How interested and how fitting people are, and why: counted from their timelines, kept as curves."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit import jobs, outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import SortNotAllowed
from app.kit.outbox import Wake
from app.kit.paging import Paging
from app.scores import counting, events, fit, repository
from app.scores.counting import Serving
from app.scores.default_model import DEFAULT_MODEL
from app.scores.errors import AtInFuture, KeyMismatch, NoDraft, ScoreModelNotFound
from app.scores.schemas import (
    ScoreModelRead,
    ScoreModelVersion,
    ScoreModelWrite,
    ScorePage,
    ScoreRead,
)
from app.tenancy import service as tenancy
from app.touchpoints import service as touchpoints

DEFAULT: Final = DEFAULT_MODEL.key
BUILT_IN: Final = 1
"""The default model's first version stands in the code; its next one is a row."""
PUBLISH: Final = "score.publish"
SWEEP: Final = "score.sweep"
SCOPE: Final = "scores:write"
HIGHEST: Final = float("inf")


async def read_model(session: Session, key: str) -> ScoreModelRead:
    """Return a model's draft and what serves of it; raises ScoreModelNotFound."""
    rows = {row.state: row for row in await repository.versions(session, key)}
    draft, published = (_version(rows.get(state)) for state in ("draft", "published"))
    if published is None and key == DEFAULT:
        published = ScoreModelVersion(**DEFAULT_MODEL.model_dump(), version=BUILT_IN, published_at=None)
    if draft is None and published is None:
        raise ScoreModelNotFound
    return ScoreModelRead(key=key, draft=draft, published=published)


async def write_draft(session: Session, key: str, body: ScoreModelWrite) -> tuple[ScoreModelRead, bool]:
    """Write a model's draft; return the model and whether there was none. Raises KeyMismatch, FitCriteriaInvalid."""
    if body.key != key:
        raise KeyMismatch
    fit.read(body.fit_rules)
    is_new = await repository.write_draft(session, key, body.definition.model_dump(mode="json", by_alias=True))
    return await read_model(session, key), is_new


async def start_publishing(session: Session, key: str) -> UUID:
    """Start the job that lets a draft serve; return its id. Raises ScoreModelNotFound, NoDraft."""
    if (await read_model(session, key)).draft is None:
        raise NoDraft
    return await jobs.start(session, PUBLISH, SCOPE, {"key": key})


async def start_sweep(session: Session) -> UUID:
    """Start the job that counts everybody anew; return its id."""
    return await jobs.start(session, SWEEP, SCOPE, {})


async def begin_publishing(session: Session, key: str) -> tuple[int, int | None]:
    """Number the draft, which is counted from now on beside what serves; return its number and that one's.

    Raises NoDraft.
    """
    published = (await read_model(session, key)).published
    served = None if published is None else published.version
    version = await repository.begin_publishing(session, key, BUILT_IN if served is None else served + 1)
    if version is None:
        raise NoDraft
    return version, served


async def take_over(session: Session, key: str, version: int, served: int | None, ids: Sequence[UUID]) -> None:
    """Tell whose tier is another by the version that serves now, and forget their scores by the earlier ones."""
    [lowest] = [each.lowest for each in await _serving(session) if each.model.key == key and each.is_published]
    rows = await repository.take_over(session, key, version, served, ids)
    await outbox.record(
        session,
        *(
            events.tier_changed(row.candidate_id, key, row.before or lowest, row.after)
            for row in rows
            if (row.before or lowest) != row.after
        ),
    )
    await outbox.schedule(session, *(Wake("member", each) for each in ids))


async def recompute(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Count these people anew by every model; return when each is to be looked at again.

    Tells whose tier changed. In a bounded number of statements.
    """
    at = now()
    living = await repository.live(session, ids)
    gone = set(ids) - set(living)
    if gone:
        await repository.drop(session, sorted(gone))
    timelines = await touchpoints.settle(session, living) if living else {}
    serving = await _serving(session)
    profiles = await _profiles(session, living, serving)
    constants = await _constants(session)
    rows = [
        counting.row(
            one,
            person,
            one.score(timelines.get(person, ()), profiles.get(person, {}), at),
            constants[one.model.key],
            counting.next_arrival(timelines.get(person, ()), at),
            at,
        )
        for person in living
        for one in serving
    ]
    await _write(session, rows, serving)
    await outbox.schedule(session, *(Wake("member", each) for each in ids))
    return _next_events(rows)


async def recount(session: Session, ids: Sequence[UUID]) -> None:
    """Count these people anew, and have them looked at again when their time comes."""
    again = await recompute(session, ids)
    await outbox.schedule(session, *(Wake("score", person, moment) for person, moment in again.items()))


async def scores_of(
    session: Session, ids: Sequence[UUID], model: str = DEFAULT, at: datetime | None = None, version: int | None = None
) -> dict[UUID, ScoreRead]:
    """Return the score of each live candidate with its parts: touchpoints up to `at`, fit and verdicts as of now.

    Raises ScoreModelNotFound, AtInFuture.
    """
    moment = now()
    if at is not None and at > moment:
        raise AtInFuture
    at = at or moment
    one = await _one(session, model, version)
    profiles = await candidates.facts(session, ids)
    timelines = await touchpoints.signals_of(session, list(profiles))
    return {
        person: counting.read(one, person, one.score(timelines.get(person, ()), profile, at), at)
        for person, profile in profiles.items()
    }


async def values_of(session: Session, ids: Sequence[UUID], model: str, at: datetime) -> dict[UUID, float]:
    """Return the value of each person who was counted by what serves of `model`, at a time not long ago or ahead."""
    rows = await repository.stored(session, ids)
    return {row.candidate_id: counting.curve(row).value(at) for row in rows if row.model_key == model}


async def facts(session: Session, ids: Sequence[UUID], at: datetime) -> dict[UUID, dict[str, Any]]:
    """Return what the criteria's fields of scores read: `{"scores": {model: {"value", "tier"}}}`."""
    found: defaultdict[UUID, dict[str, Any]] = defaultdict(dict)
    for row in await repository.stored(session, ids):
        found[row.candidate_id][row.model_key] = {"value": counting.curve(row).value(at), "tier": row.tier}
    return {person: {"scores": found[person]} for person in ids}


async def list_scores(
    session: Session, paging: Paging, model: str, tiers: Sequence[str], least: float | None, sort: str
) -> ScorePage:
    """Return everybody's score at one moment, by value; raises ScoreModelNotFound, SortNotAllowed."""
    if sort not in {"value", "-value"}:
        raise SortNotAllowed
    bound = ("scores", model, list(tiers), least, sort)
    keys = paging.after(*bound)
    at = datetime.fromisoformat(keys[2]) if keys else now()
    one = await _one(session, model, None)
    asked = {
        "key": model,
        "version": one.version,
        "at": at,
        "least": -HIGHEST if least is None else least,
        **_ranges(one, tiers),
    }
    after = (float(keys[0]), UUID(keys[1])) if keys else None
    rows = await repository.ranked(session, asked, after, paging.limit + 1, lowest_first=sort == "value")
    page = paging.page(
        rows,
        lambda row: counting.read_row(one, row, at),
        lambda row: [row.value, row.candidate_id, at.isoformat()],
        *bound,
        total=await repository.total(session, asked) if paging.include_total else None,
    )
    return ScorePage(as_of=at, **{name: getattr(page, name) for name in type(page).model_fields})


async def set_thresholds(session: Session, used_by: str, wanted: Mapping[str, Collection[float]]) -> None:
    """Say with which constants `used_by` (`pool:<id>`, say) compares scores, model by model; none takes them back.

    Whoever crosses one is looked at in that moment, and `member` is due for them.
    """
    pairs = [(model, value) for model, values in wanted.items() for value in values]
    for added in await repository.replace_thresholds(session, used_by, pairs):
        crossing = await repository.crossing(session, added.model_key, added.value, now())
        await outbox.schedule(session, *(Wake("score", each) for each in crossing))


def _version(row: Any) -> ScoreModelVersion | None:  # noqa: ANN401 (a row)
    if row is None:
        return None
    return ScoreModelVersion(**row.definition, version=row.version, published_at=row.published_at)


async def _serving(session: Session) -> list[Serving]:
    """Return what everybody is counted by, the default model always among it."""
    timezone = (await tenancy.read(session)).timezone
    found = [
        Serving.of(row.definition, row.version, timezone, is_published=row.state == "published")
        for row in await repository.models(session)
    ]
    if not any(each.model.key == DEFAULT and each.is_published for each in found):
        found.append(Serving.of(DEFAULT_MODEL, BUILT_IN, timezone, is_published=True))
    return found


async def _one(session: Session, key: str, version: int | None) -> Serving:
    """Return a numbered version of a model, the one that serves unless said; raises ScoreModelNotFound."""
    timezone = (await tenancy.read(session)).timezone
    rows = [row for row in await repository.versions(session, key) if row.version is not None]
    for row in rows:
        if row.version == version or (version is None and row.state == "published"):
            return Serving.of(row.definition, row.version, timezone, is_published=True)
    is_default = key == DEFAULT and (version == BUILT_IN or (version is None))
    if not is_default:
        raise ScoreModelNotFound
    return Serving.of(DEFAULT_MODEL, BUILT_IN, timezone, is_published=True)


async def _profiles(session: Session, ids: Sequence[UUID], serving: Sequence[Serving]) -> dict[UUID, dict[str, Any]]:
    """Return what fit rules ask of, when there are any."""
    if not ids or not any(each.fit for each in serving):
        return {}
    return await candidates.facts(session, ids)


async def _constants(session: Session) -> defaultdict[str, set[float]]:
    found: defaultdict[str, set[float]] = defaultdict(set)
    for row in await repository.thresholds(session):
        found[row.model_key].add(row.value)
    return found


async def _write(session: Session, rows: Sequence[Mapping[str, Any]], serving: Sequence[Serving]) -> None:
    if not rows:
        return
    lowest = {(one.model.key, one.version): one.lowest for one in serving if one.is_published}
    changes = []
    for row in await repository.write(session, rows):
        first = lowest.get((row.model_key, row.model_version))
        if first is not None and (before := row.before or first) != row.after:
            changes.append(events.tier_changed(row.candidate_id, row.model_key, before, row.after))
    await outbox.record(session, *changes)


def _next_events(rows: Sequence[Mapping[str, Any]]) -> dict[UUID, datetime]:
    found: dict[UUID, datetime] = {}
    for row in rows:
        person, moment = row["candidate_id"], row["next_event_at"]
        if moment is not None:
            found[person] = min(moment, found.get(person, moment))
    return found


def _ranges(one: Serving, tiers: Sequence[str]) -> dict[str, list[float]]:
    """Return the values that these tiers hold, half-open; none asked is all."""
    lows = [each.starts_at for each in one.model.tiers]
    highs = [*lows[1:], HIGHEST]
    kept = [place for place, each in enumerate(one.model.tiers) if not tiers or each.key in tiers]
    return {"lows": [lows[place] for place in kept], "highs": [highs[place] for place in kept]}
