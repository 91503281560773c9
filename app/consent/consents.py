"""Writing and reading the ledger of statements."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.candidates import service as candidates
from app.consent import events, repository
from app.consent.errors import CandidateUnknown, StatementInvalid
from app.consent.schemas import ConsentCreate, ConsentRead, ConsentStatement
from app.consent.statement import faults
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.ids import new_id
from app.kit.paging import Paging
from app.kit.schemas import Page


async def record_statements(session: Session, statements: Sequence[ConsentStatement]) -> list[ConsentRead]:
    """Append statements to the ledger, in order; raises CandidateUnknown, StatementInvalid."""
    live = await repository.live_ids(session, [each.candidate_id for each in statements]) if statements else {}
    moment = now()
    for each in statements:
        if each.candidate_id not in live:
            raise CandidateUnknown
        if wrong := faults(each, moment):
            raise StatementInvalid(errors=wrong)
    return await append(session, [(live[each.candidate_id], each) for each in statements])


async def record(session: Session, live: UUID, body: ConsentCreate) -> ConsentRead:
    """Append one statement about a live candidate; raises StatementInvalid."""
    if wrong := faults(body, now()):
        raise StatementInvalid(errors=wrong)
    [read] = await append(session, [(live, body)])
    return read


async def append(session: Session, statements: Sequence[tuple[UUID, ConsentCreate]]) -> list[ConsentRead]:
    """Append statements that were found right about candidates that are known."""
    if not statements:
        return []
    moment = now()
    rows = [
        {
            **each.model_dump(mode="json", exclude={"recorded_at", "actor", "client_ref"}),
            "id": new_id(),
            "candidate_id": candidate_id,
            "obtained_at": each.obtained_at or moment,
        }
        for candidate_id, each in statements
    ]
    by_id = {row.id: row for row in await repository.add_statements(session, rows)}
    read = [ConsentRead.model_validate(by_id[row["id"]]) for row in rows]
    versions = await candidates.versions(session, {each.candidate_id for each in read})
    changes = ((each, versions.get(each.candidate_id)) for each in read)
    await outbox.record(
        session,
        *(
            events.consent_changed(each.candidate_id, version, each.purpose, each.channel, each.status)
            for each, version in changes
        ),
    )
    return read


async def page(session: Session, live: UUID, filters: Mapping[str, Any], paging: Paging) -> Page[ConsentRead]:
    """Return a candidate's statements, the last recorded first."""
    bound = ("consents", str(live), filters)
    after = paging.after(*bound)
    rows = await repository.consent_page(session, live, filters, UUID(after[0]) if after else None, paging.limit + 1)
    total = await repository.count_consents(session, live, filters) if paging.include_total else None
    return paging.page(rows, ConsentRead.model_validate, lambda row: [row.id], *bound, total=total)
