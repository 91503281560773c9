from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.kit.db import Session
from app.kit.due import drain
from app.kit.jobs import Claim, job
from app.scores import backtest, recount, repository, service
from app.scores.backtest import Findings, Trial

CHUNK: Final = 2_000
"""People a transaction: many enough that its round trips do not matter, few enough that it ends soon."""

CLAIMED: Final = 6_000
"""People a claim, whose chunks lie each in another part of the tables: many enough that few pages are read twice."""


@drain("score", batch=CLAIMED, share=CHUNK, lanes=2)
async def score(session: Session, candidate_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    return await recount.recompute(session, candidate_ids)


@job(service.SWEEP)
async def sweep(claim: Claim) -> Mapping[str, Any]:
    """Count everybody anew by the formula alone: what had been otherwise is `mended`."""
    state = dict(claim.cursor or {})
    people, mended = await _each_chunk(claim, "count", state, recount.prove)
    return {"candidates": people, "mended": mended}


@job(service.PUBLISH)
async def publish(claim: Claim) -> Mapping[str, Any]:
    """Count everybody by the draft, let it serve, tell whose tier is another; each part goes on where it stopped."""
    key = str(claim.arguments["key"])
    state = dict(claim.cursor or {})
    if "version" not in state:
        async with claim.step() as session:
            version, served = await service.begin_publishing(session, key)
            state = {"version": version, "served": served, "part": "count"}
            await claim.progress(session, 0, total=await repository.people(session), cursor=state)
    people, _ = await _each_chunk(claim, "count", state, recount.recount)
    if state["part"] == "count":
        async with claim.step() as session:
            await repository.serve(session, key, state["version"])
            state = {**state, "part": "tell", "after": None, "done": people}
            await claim.progress(session, people, cursor=state)

    async def tell(session: Session, ids: Sequence[UUID]) -> int:
        return await service.take_over(session, key, state["version"], state["served"], ids)

    await _each_chunk(claim, "tell", state, tell)
    return {"model_version": state["version"]}


@job(service.BACKTEST)
async def try_draft(claim: Claim) -> Mapping[str, Any]:
    """Try a draft on everybody's history; it writes nothing, so after a crash it begins anew."""
    findings = Findings()
    async with claim.step() as session:
        trial = await Trial.of(session, claim.arguments)
        await claim.progress(session, 0, total=await repository.people(session))

    async def examine(session: Session, ids: Sequence[UUID]) -> int:
        await backtest.examine(session, trial, ids, findings)
        return len(ids)

    await _each_chunk(claim, "examine", {}, examine)
    return findings.result(trial)


async def _each_chunk(
    claim: Claim, part: str, state: Mapping[str, Any], work: Callable[[Session, Sequence[UUID]], Awaitable[int]]
) -> tuple[int, int]:
    """Do `work` for everybody, a chunk a transaction, from where `state` says.

    Returns how many people there were, and the sum of what `work` answered.
    """
    if state.get("part", part) != part:
        return int(state.get("done", 0)), 0
    after = UUID(state["after"]) if state.get("after") else None
    done, found = (int(state.get(name, 0)) if after else 0 for name in ("done", "found"))
    while True:
        async with claim.step() as session:
            ids = await repository.people_after(session, after, CHUNK)
            if not ids:
                return done, found
            found += await work(session, ids)
            after, done = ids[-1], done + len(ids)
            cursor = {**state, "part": part, "after": str(after), "done": done, "found": found}
            await claim.progress(session, done, cursor=cursor)
