"""Forgetting a person, complete when it is answered; and the proof that it was done."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.candidates import erasing as people
from app.candidates import service as candidates
from app.candidates.erasing import Traces
from app.connectors import erasing as hooks
from app.consent import service as consent
from app.dedup import erasing as matching
from app.directory import service as directory
from app.imports import erasing as files
from app.kit import crypto, json, outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import Overtaken
from app.kit.ids import new_id
from app.kit.paging import Paging
from app.kit.schemas import Page
from app.merges import service as merges
from app.merges.locks import hold
from app.pools import service as pools
from app.privacy import events
from app.privacy import export as exporting
from app.privacy.errors import ErasureNotFound
from app.privacy.hiding import HIDDEN_FOR
from app.privacy.models import Erasure, ErasureAck
from app.privacy.repository import AckRepository, ErasureRepository
from app.privacy.schemas import AckCreate, AckRead, ErasureRead, ExportRead, LiftCreate
from app.scores import erasing as scores
from app.sequences import service as sequences
from app.tenancy import audit
from app.tenancy import service as tenancy
from app.touchpoints import erasing as touchpoints

DELETED: Final = "deleted 30 days ago"
LIFTING: Final = "erasure-lift"


async def find(session: Session, candidate_id: UUID) -> tuple[UUID, int]:
    """Return whom this id means now, hidden or not, and in which version; raises CandidateNotFound, CandidateErased."""
    live = await candidates.resolve(session, candidate_id, hidden=True)
    return live, await people.version_of(session, live)


async def demands_if_match(session: Session) -> bool:
    """Whether this tenant asks for If-Match on every change of a candidate."""
    return (await tenancy.read(session)).require_if_match


async def erase(
    session: Session, candidate_id: UUID, reason: str | None, expect: Callable[[int], None] | None = None
) -> ErasureRead:
    """Forget a candidate, hidden or not, in every table, and block their return; raises Overtaken and as `expect`."""
    erasure = await _erase(session, candidate_id, reason, expect)
    return await read(session, erasure)


async def _erase(
    session: Session, candidate_id: UUID, reason: str | None, expect: Callable[[int], None] | None = None
) -> Erasure:
    standing = (await hold(session, [candidate_id])).get(candidate_id)
    if standing is None or standing.erased_at is not None or standing.merged_into is not None:
        raise Overtaken
    if expect is not None:
        expect(await people.version_of(session, candidate_id))
    found, moment, erasure_id = await people.traces(session, candidate_id), now(), new_id()
    counts = await _forget(session, found, moment, erasure_id)
    erasure = Erasure(
        id=erasure_id,
        candidate_id=candidate_id,
        alias_ids=[each for each in found.ids if each != candidate_id],
        by=session.caller.actor,
        reason=None if reason is None or found.told_in(reason) else reason,
        counts=counts,
        created_at=moment,
    )
    await ErasureRepository(session).add(erasure)
    version = await people.version_of(session, candidate_id)
    await outbox.record(session, events.erased(candidate_id, version, erasure_id))
    return erasure


async def _forget(session: Session, found: Traces, moment: datetime, erasure_id: UUID) -> Mapping[str, int]:
    """Let every slice forget, those first that still have to ask who it was; return how many rows of what that was."""
    hashes = [value for _, value in (await candidates.hashes_of(session, [found.id])).get(found.id, [])]
    told_of = await touchpoints.deliveries_of(session, found.id)
    tombstone = UUID(bytes=secrets.token_bytes(16), version=4)
    await people.bury(session, tombstone, moment.replace(hour=0, minute=0, second=0, microsecond=0))
    counts = {
        "suppressions": await _block(session, found, erasure_id),
        "messages": await sequences.erase(session, found.id),
        "memberships": await pools.erase(session, found.id),
        "touchpoints": await touchpoints.erase(session, found.id, hashes, tombstone),
        "scores": await scores.erase(session, found.ids),
        "merges": await merges.erase(session, found.ids),
        **await matching.erase(session, found.ids, found.records),
        "import_rows": await files.erase(session, found),
        "deliveries": await hooks.erase(session, found, told_of),
        "answers": await ErasureRepository(session).forget_answers(found),
        **await people.erase(session, found, moment),
    }
    await directory.count(session, found.ids)
    return counts


async def _block(session: Session, found: Traces, erasure_id: UUID) -> int:
    """Block the person's return, unless they were made by an import that was undone: those never came."""
    source = source_of(erasure_id)
    blocked = await consent.erase(session, found.id, source)
    if await files.taken_back(session, found.ids):
        await consent.lift_erasure(session, source)
        return 0
    return blocked


def source_of(erasure_id: UUID) -> str:
    """Return how the suppressions of an erasure say where they come from."""
    return f"erasure:{erasure_id}"


async def export(session: Session, candidate_id: UUID, recipient: str) -> ExportRead:
    """Return everything that is kept of a live candidate, and note to whom it was given; raises as `resolve` does."""
    live = await candidates.resolve(session, candidate_id)
    await audit.disclose(session, "export", recipient, [live])
    return ExportRead(
        candidate=await directory.read(session, live), exported_at=now(), **await exporting.parts(session, live)
    )


async def export_file(session: Session, candidate_id: UUID, recipient: str) -> bytes:
    """Return the same as a file."""
    return (await export(session, candidate_id, recipient)).model_dump_json(indent=2).encode()


async def timeline(session: Session, candidate_id: UUID, most: int) -> tuple[int, Sequence[Any]]:
    """Return how many entries a person's timeline has, and (occurred_at, type, source) of the last ones."""
    return await exporting.last(session, candidate_id, most)


async def erase_hidden(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Forget those who were deleted long enough ago; return when to look again at the others that are hidden."""
    again = {}
    for row in await people.overdue(session, ids):
        if row.hidden_at + HIDDEN_FOR <= now():
            await _erase(session, row.id, DELETED)
        else:
            again[row.id] = row.hidden_at + HIDDEN_FOR
    return again


async def get(session: Session, erasure_id: UUID, *, lock: bool = False) -> Erasure:
    """Return an erasure's row; raises ErasureNotFound."""
    found = await ErasureRepository(session).get(erasure_id, lock=lock)
    if found is None:
        raise ErasureNotFound
    return found


async def read(session: Session, erasure: Erasure) -> ErasureRead:
    """Return an erasure as it is answered."""
    return _read(erasure, (await AckRepository(session).of([erasure.id]))[erasure.id])


async def page(session: Session, paging: Paging) -> Page[ErasureRead]:
    """Return erasures, the newest first."""
    rows, total = await ErasureRepository(session).page(paging)
    acks = await AckRepository(session).of([row.id for row in rows])
    return paging.page(rows, lambda row: _read(row, acks[row.id]), lambda row: [row.id], "erasures", total=total)


async def acknowledge(session: Session, erasure: Erasure, body: AckCreate) -> ErasureRead:
    """Take another system's word that it has forgotten the person, too; raises AckTaken."""
    ack = ErasureAck(
        id=new_id(),
        erasure_id=erasure.id,
        system=body.system,
        evidence=body.evidence,
        actor=session.caller.actor,
        created_at=now(),
    )
    await AckRepository(session).add(ack)
    return await read(session, erasure)


async def lift(session: Session, erasure: Erasure, body: LiftCreate) -> ErasureRead:
    """Let the person of an erasure come back by their own word; nothing that was forgotten returns."""
    if erasure.lifted_at is None:
        await consent.lift_erasure(session, source_of(erasure.id))
        said = json.canonical(body.model_dump(mode="json")).decode()
        proof = crypto.keyed_hash(LIFTING, str(session.tenant_id), said).hex()
        erasure.lifted_at, erasure.lifted_by = now(), session.caller.actor
        erasure.lift = {"kind": body.evidence.kind, "hmac": proof}
        await ErasureRepository(session).save()
    return await read(session, erasure)


def _read(erasure: Erasure, acks: Sequence[ErasureAck]) -> ErasureRead:
    return ErasureRead(
        id=erasure.id,
        candidate_id=erasure.candidate_id,
        at=erasure.created_at,
        reason=erasure.reason,
        counts=erasure.counts,
        acks=[AckRead.model_validate(each) for each in acks],
        lifted_at=erasure.lifted_at,
    )
