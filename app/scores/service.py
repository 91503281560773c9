"""How interested and how fitting people are, and why: counted from their timelines, kept as curves."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit import jobs, outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import SortNotAllowed
from app.kit.outbox import Wake
from app.kit.paging import Paging
from app.scores import backtest, counting, fit, ranking, recount, registry, repository
from app.scores.counting import Serving
from app.scores.default_model import DEFAULT_MODEL
from app.scores.errors import AtInFuture, KeyMismatch, NoDraft, ScoreModelNotFound
from app.scores.ranking import Place
from app.scores.schemas import (
    BacktestStart,
    ScoreModelRead,
    ScoreModelVersion,
    ScoreModelWrite,
    ScorePage,
    ScoreRead,
)
from app.touchpoints import service as touchpoints

DEFAULT: Final = registry.DEFAULT
PUBLISH: Final = "score.publish"
BACKTEST: Final = "score.backtest"
SWEEP: Final = "score.sweep"
SCOPE: Final = "scores:write"
HIGHEST: Final = float("inf")


async def read_model(session: Session, key: str) -> ScoreModelRead:
    """Return a model's draft and what serves of it; raises ScoreModelNotFound."""
    rows = {row.state: row for row in await repository.versions(session, key)}
    draft, published = (_version(rows.get(state)) for state in ("draft", "published"))
    if published is None and key == DEFAULT:
        published = ScoreModelVersion(**DEFAULT_MODEL.model_dump(), version=registry.BUILT_IN, published_at=None)
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


async def start_publishing(session: Session, model: ScoreModelRead) -> UUID:
    """Start the job that lets a draft serve; return its id. Raises NoDraft."""
    return await jobs.start(session, PUBLISH, SCOPE, {"key": _draft(model).key})


async def start_backtest(session: Session, model: ScoreModelRead, body: BacktestStart) -> UUID:
    """Start the job that tries a draft, as it is now, on history; return its id. Raises NoDraft, AtInFuture."""
    draft = _draft(model)
    if body.end > now():
        raise AtInFuture("/to")
    arguments = {
        "key": draft.key,
        "draft": draft.model_dump(mode="json", by_alias=True, exclude={"version", "published_at"}),
        "from": body.begin.isoformat(),
        "to": body.end.isoformat(),
        "outcome_types": list(dict.fromkeys(body.outcome_types or backtest.OUTCOMES)),
    }
    return await jobs.start(session, BACKTEST, SCOPE, arguments)


async def start_sweep(session: Session) -> UUID:
    """Start the job that counts everybody anew; return its id."""
    return await jobs.start(session, SWEEP, SCOPE, {})


async def begin_publishing(session: Session, key: str) -> tuple[int, int | None]:
    """Number the draft, which is counted from now on beside what serves; return its number and that one's.

    Raises NoDraft.
    """
    published = (await read_model(session, key)).published
    served = None if published is None else published.version
    version = await repository.begin_publishing(session, key, registry.BUILT_IN if served is None else served + 1)
    if version is None:
        raise NoDraft
    return version, served


async def take_over(session: Session, key: str, version: int, served: int | None, ids: Sequence[UUID]) -> int:
    """Tell whose tier is another by the version that serves now, and forget their scores by the earlier ones.

    Returns how many were told of.
    """
    [lowest] = [each.lowest for each in await registry.serving(session) if each.model.key == key and each.is_published]
    rows = await repository.take_over(session, key, version, served, ids)
    told = await recount.tell_tiers(session, key, lowest, rows)
    await outbox.schedule(session, *(Wake("member", each) for each in ids))
    return told


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
    one = await registry.find(session, model, version)
    profiles = await candidates.facts(session, ids)
    timelines = await touchpoints.signals_of(session, list(profiles))
    return {
        person: counting.read(one, person, one.score(timelines.get(person, ()), profile, at, moment), at)
        for person, profile in profiles.items()
    }


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
    at = datetime.fromisoformat(keys[4]) if keys else now()
    one = await registry.find(session, model)
    half_life, lowest_first = one.model.half_life_days, sort == "value"
    asked = {"key": model, "version": one.version, "at": at, "elapsed": ranking.elapsed(at, half_life)}
    fits = await repository.fits(session, model, one.version)
    bands = _bands(one, tiers, -HIGHEST if least is None else least)
    after = Place(keys[0], keys[1], keys[2], UUID(keys[3])) if keys else None
    beyond = list(ranking.stretches(fits, bands, at, half_life, after, lowest_first=lowest_first))
    rows = await repository.ranked(session, asked, beyond, after, paging.limit + 1, lowest_first=lowest_first)
    everybody = list(ranking.stretches(fits, bands, at, half_life, None, lowest_first=lowest_first))
    page = paging.page(
        rows,
        lambda row: counting.read_row(one, row, at),
        lambda row: [row.height, row.fit, row.rank_key, row.candidate_id, at.isoformat()],
        *bound,
        total=await repository.total(session, asked, everybody) if paging.include_total else None,
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


def _draft(model: ScoreModelRead) -> ScoreModelVersion:
    if model.draft is None:
        raise NoDraft
    return model.draft


def _version(row: Any) -> ScoreModelVersion | None:  # noqa: ANN401 (a row)
    if row is None:
        return None
    return ScoreModelVersion(**row.definition, version=row.version, published_at=row.published_at)


def _bands(one: Serving, tiers: Sequence[str], least: float) -> list[tuple[float, float]]:
    """Return the values that these tiers hold as far as they reach `least`, half-open; none asked is all."""
    if not tiers:
        return [(least, HIGHEST)]
    bounds = pairwise([*(each.starts_at for each in one.model.tiers), HIGHEST])
    asked = [band for each, band in zip(one.model.tiers, bounds, strict=True) if each.key in tiers]
    return [(max(low, least), high) for low, high in asked if high > least]
