from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from app.candidates import events, repository, retention
from app.candidates.draft import Draft
from app.candidates.errors import CandidateErased, CandidateNotFound
from app.candidates.features import Features, load_features
from app.candidates.fields import SCALARS
from app.candidates.keys import external_key, identifier_hash
from app.candidates.person import MailAddress, Profile
from app.candidates.profile import Record
from app.candidates.writes import Writes
from app.kit import outbox
from app.kit.chunks import in_turns
from app.kit.columns import Part
from app.kit.db import Session
from app.normalise.version import NORMALISER_VERSION

IdentifierKind = Literal["email", "phone", "url"]

__all__ = ["external_key", "identifier_hash"]


async def resolve(session: Session, candidate_id: UUID, *, lock: bool = False, hidden: bool = False) -> UUID:
    """Return whom this id means now, following merges.

    With `lock` the row is held until the transaction ends; `hidden` finds also who was deleted but not yet erased.
    Raises CandidateNotFound, CandidateErased.
    """
    found = await repository.find(session, candidate_id, lock=lock)
    if found is not None and found.erased_at is not None:
        raise CandidateErased
    if found is None or (found.hidden_at is not None and not hidden):
        raise CandidateNotFound
    live: UUID = found.id
    return live


async def resolve_many(session: Session, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return asked id → live id; unknown, hidden and erased ones are absent."""
    return {row.asked: row.id for row in await repository.find_many(session, ids)} if ids else {}


async def locate(session: Session, kind: IdentifierKind, keys: Collection[str]) -> dict[str, list[UUID]]:
    """Return match key → live candidates that have it, the oldest first; keys that nobody has are absent."""
    by_hash = {identifier_hash(session.tenant_id, kind, key): key for key in keys}
    found: dict[str, list[UUID]] = {}
    for row in await repository.holders(session, kind, list(by_hash)) if by_hash else ():
        found.setdefault(by_hash[row.value_hash], []).append(row.candidate_id)
    return found


async def locate_external(session: Session, ids: Collection[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """Return (source, id) → the live candidate it belongs to."""
    if not ids:
        return {}
    rows = await repository.external_holders(session, [source for source, _ in ids], [id_ for _, id_ in ids])
    return {(row.source, row.external_id): row.candidate_id for row in rows}


async def hashes_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[tuple[str, bytes]]]:
    """Return candidate → (kind, hash) of its identifiers, and of its external ids under the kind `external_id`."""
    found: dict[UUID, list[tuple[str, bytes]]] = {}
    for row in await repository.hashes(session, ids):
        found.setdefault(row.candidate_id, []).append((row.kind, row.value_hash))
    for row in await repository.external_ids(session, ids):
        key = external_key(row.source, row.external_id)
        entry = ("external_id", identifier_hash(session.tenant_id, "external_id", key))
        found.setdefault(row.candidate_id, []).append(entry)
    return found


async def profiles(session: Session, ids: Sequence[UUID]) -> dict[UUID, Profile]:
    """Return what is stored of these candidates, hidden ones too; erased and merged ones are absent."""
    return {row.id: _profile(row) for row in await repository.profiles(session, ids)} if ids else {}


async def read_many(session: Session, ids: Sequence[UUID]) -> list[Profile]:
    """Return what is stored of these candidates in the order of `ids`."""
    found = await profiles(session, ids)
    return [found[each] for each in ids if each in found]


async def versions(session: Session, ids: Collection[UUID]) -> dict[UUID, int]:
    """Return live candidate → its version."""
    return {row.id: row.version for row in await repository.versions(session, list(ids))} if ids else {}


async def facts(
    session: Session, ids: Sequence[UUID], names: Collection[str] | None = None
) -> dict[UUID, dict[str, Any]]:
    """Return the live candidates as plain mappings, for criteria and templates; with `names` no more than these."""
    if names is not None:
        return {row["id"]: dict(row) for row in await repository.facts(session, ids, set(names))} if ids else {}
    found = await profiles(session, ids)
    return {each: profile.facts() for each, profile in found.items() if profile.status == "active"}


async def mail_address(session: Session, candidate_id: UUID) -> MailAddress | None:
    """Return where mails to this candidate go: the primary, another only when the primary is bounced."""
    found = (await profiles(session, [candidate_id])).get(candidate_id)
    return found.mail_address() if found else None


@dataclass(frozen=True, slots=True)
class Reached:
    """Where mails to somebody go, and what is known of them."""

    profile: Profile

    @property
    def address(self) -> MailAddress | None:
        return self.profile.mail_address()

    @property
    def facts(self) -> dict[str, Any]:
        """The plain mapping for criteria and templates."""
        return self.profile.facts()


async def reached(session: Session, ids: Sequence[UUID]) -> dict[UUID, Reached]:
    """Return of each live candidate where mails go, and what is known of them."""
    found = await profiles(session, ids)
    return {each: Reached(profile) for each, profile in found.items() if profile.status == "active"}


async def mark_bounced(session: Session, email_key: str) -> list[UUID]:
    """Note that mails to this address come back; return the candidates that have it."""
    ids = await repository.bounce(session, identifier_hash(session.tenant_id, "email", email_key))
    found = await profiles(session, ids)
    unreachable = [
        each for each, profile in found.items() if (address := profile.mail_address()) and address.state == "bounced"
    ]
    await repository.set_address_state(session, unreachable, "bounced")
    return ids


async def interacted(session: Session, moments: Mapping[UUID, datetime]) -> list[UUID]:
    """Note when these people last made contact themselves: the retention clock starts again from there.

    Returns of whom that is news.
    """
    return await repository.interacted(session, moments, retention.DAYS, retention.DEFAULT_DAYS) if moments else []


async def records_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
    """Return candidate → its records, the oldest first."""
    found: dict[UUID, list[Record]] = {each: [] for each in ids}
    async for row in in_turns(await repository.records(session, ids) if ids else ()):
        found[row.candidate_id].append(_record(row))
    return found


async def owners(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return record → whose it is now."""
    return {row.id: row.candidate_id for row in await repository.owners(session, record_ids)}


async def features_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Features]]:
    """Return candidate → what its records say of who it is, the oldest first; erased and merged ones are absent."""
    found: dict[UUID, list[Features]] = {}
    for row in await repository.features(session, ids) if ids else ():
        found.setdefault(row.candidate_id, []).append(load_features(row.features))
    return found


async def known_externals(
    session: Session, ids: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[UUID | None, int]]:
    """Return (source, id) → the live candidate that it belongs to, and the version of its newest record (0: none)."""
    if not ids:
        return {}
    rows = await repository.known_externals(session, [source for source, _ in ids], [each for _, each in ids])
    return {(row.source, row.id): (row.candidate_id, row.record_version or 0) for row in rows}


async def drafts(session: Session, ids: Sequence[UUID], lock: Sequence[UUID]) -> dict[UUID, Draft]:
    """Take candidates in hand with all their records; those of `lock` are held until the transaction ends."""
    if lock:
        await repository.hold(session, lock)
    said = await records_of(session, ids)
    return {each: draft_of(profile, said[each]) for each, profile in (await profiles(session, ids)).items()}


async def store(session: Session, taken: Collection[Draft], *beside: Part) -> None:
    """Write what records have added to these drafts, and with it what goes `beside` it."""
    writes = Writes(session.tenant_id)
    for draft in taken:
        writes.add(draft)
    if writes.superseded:
        sources, ids = zip(*writes.superseded, strict=True)
        await repository.supersede(session, sources, ids)
    said = {**writes.parameters(), "normaliser": NORMALISER_VERSION, "by": session.caller.actor}
    await repository.store(session, said, beside)


async def hide(session: Session, candidate_id: UUID) -> int:
    """Delete, as long as it can be taken back: nobody reads, finds or matches this candidate any more."""
    version = await repository.set_hidden(session, candidate_id, hidden=True)
    await outbox.record(session, events.deleted(candidate_id, version))
    return version


async def unhide(session: Session, candidate_id: UUID) -> int:
    """Take a deletion back."""
    version = await repository.set_hidden(session, candidate_id, hidden=False)
    await outbox.record(session, events.restored(candidate_id, version))
    return version


def _record(row: Any) -> Record:  # noqa: ANN401 (a row)
    return Record(
        id=str(row.id),
        source=row.source,
        external_id=row.external_id,
        version=row.record_version,
        door=row.door,
        payload=row.payload,
        features=load_features(row.features),
        received_at=row.received_at,
    )


def draft_of(profile: Profile, said: list[Record]) -> Draft:
    """Take a candidate in hand as it is stored, with all its records."""
    born = profile.fields["birth_date"]
    return Draft(
        id=profile.id,
        version=profile.version,
        fields={**profile.fields, "birth_date": born.isoformat() if born else None},
        warnings=profile.warnings,
        provenance=profile.provenance,
        records=said,
    )


def _profile(row: Any) -> Profile:  # noqa: ANN401 (a row)
    known = dict(row.items())
    document: dict[str, Any] = known.pop("document")
    return Profile(
        status="active" if known.pop("hidden_at") is None else "hidden",
        warnings=document.pop("warnings"),
        provenance=document.pop("provenance"),
        fields={**{name: known.pop(name) for name in SCALARS}, **document},
        bounced=frozenset(known.pop("bounced")) - {None},
        **known,
    )
