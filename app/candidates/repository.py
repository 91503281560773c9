"""The statements of the people's tables; each is one round trip for any number of people."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from app.candidates.aliases import MEANT, WHO
from app.candidates.errors import CustomFieldKeyTaken
from app.candidates.facts import LIVE, columns
from app.candidates.fields import LISTS, OBJECTS, PROFILE, SCALARS
from app.candidates.models import CustomField
from app.kit import json
from app.kit.columns import TENANT, Part, together
from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.repository import ResourceRepository

_VALUES: Final = ", ".join(f"c.{name}" for name in SCALARS)
_DOCUMENT: Final = ", ".join(f"'{name}', c.{name}" for name in (*OBJECTS, *LISTS, "warnings", "provenance"))
"""What is JSON anyhow comes as one value: each by itself costs the client more than all of them."""


async def find(session: Session, candidate_id: UUID, *, lock: bool) -> Any:  # noqa: ANN401 (a row)
    """Return (id, version, hidden_at, erased_at) of whom this id means now."""
    locking = " for no key update of c" if lock else ""
    sql = f"""select c.id, c.version, c.hidden_at, c.erased_at, c.merged_into
              from {WHO} join candidates c on c.tenant_id = {TENANT} and c.id = live.id"""  # noqa: S608 (constants)
    found = await session.row(sql + locking, id=candidate_id)
    return await find(session, found.merged_into, lock=lock) if found and found.merged_into else found


async def find_many(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        f"""select live.asked, c.id from {MEANT} join candidates c on c.tenant_id = {TENANT} and c.id = live.id
            where {LIVE}""",  # noqa: S608 (constants)
        ids=list(ids),
    )


async def holders(session: Session, kind: str, hashes: Sequence[bytes]) -> list[Any]:
    """Return (value_hash, candidate_id) of live candidates."""
    return await session.rows(
        f"""select distinct i.value_hash, i.candidate_id from identifiers i
            join candidates c on c.tenant_id = {TENANT} and c.id = i.candidate_id
            where i.kind = :kind and i.value_hash = any(:hashes) and i.value is not null and {LIVE}
            order by i.candidate_id""",  # noqa: S608 (constants)
        kind=kind,
        hashes=list(hashes),
    )


async def external_holders(session: Session, sources: Sequence[str], ids: Sequence[str]) -> list[Any]:
    return await session.rows(
        f"""select e.source, e.external_id, e.candidate_id from external_ids e
            join unnest(cast(:sources as text[]), cast(:ids as text[])) as t(source, id)
              on e.source = t.source and e.external_id = t.id
            join candidates c on c.tenant_id = {TENANT} and c.id = e.candidate_id where {LIVE}""",  # noqa: S608 (constants)
        sources=list(sources),
        ids=list(ids),
    )


async def hashes(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        """select distinct candidate_id, kind, value_hash from identifiers
           where candidate_id = any(:ids) and value is not null""",
        ids=list(ids),
    )


async def external_ids(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        "select candidate_id, source, external_id from external_ids where candidate_id = any(:ids)", ids=list(ids)
    )


async def profiles(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return the profiles of these candidates; their objects and lists, warnings and provenance in `document`."""
    return await session.rows(
        f"""select c.id, c.version, c.hidden_at, {_VALUES}, json_build_object({_DOCUMENT}) as document,
              c.last_interaction_at, c.live_selection_at, c.rejected_at, c.retention_expires_on, c.retention_basis,
              c.created_at, c.updated_at,
              array(select a.old_id from aliases a where a.candidate_id = c.id order by a.old_id) as merged_ids,
              array(select distinct i.value from identifiers i
                    where i.candidate_id = c.id and i.kind = 'email' and i.state = 'bounced') as bounced
            from candidates c where c.tenant_id = {TENANT} and c.id = any(:ids)
              and c.erased_at is null and c.merged_into is null""",  # noqa: S608 (constants)
        ids=list(ids),
    )


async def facts(session: Session, ids: Sequence[UUID], names: Collection[str]) -> list[Any]:
    """Return (id, status) of live candidates, and the members of their facts that have these names."""
    return await session.rows(
        f"select {columns(names)} from candidates c where c.tenant_id = {TENANT} and c.id = any(:ids) and {LIVE}",  # noqa: S608 (constants)
        ids=list(ids),
    )


async def versions(session: Session, ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(
        f"""select id, version from candidates where tenant_id = {TENANT} and id = any(:ids)
              and hidden_at is null and erased_at is null and merged_into is null""",  # noqa: S608 (a constant)
        ids=list(ids),
    )


async def bounce(session: Session, value_hash: bytes) -> list[UUID]:
    rows = await session.rows(
        """update identifiers set state = 'bounced' where kind = 'email' and value_hash = :value_hash
           returning candidate_id""",
        value_hash=value_hash,
    )
    return sorted({row.candidate_id for row in rows})


async def not_reached(session: Session, ids: Collection[UUID]) -> list[UUID]:
    """Return those of these candidates of whom it is known that mails to some address of theirs come back."""
    rows = await session.rows(
        f"""select id from candidates where tenant_id = {TENANT} and id = any(:ids) and address_state <> 'ok'
            union select candidate_id from identifiers
              where candidate_id = any(:ids) and kind = 'email' and state = 'bounced'""",  # noqa: S608 (constants)
        ids=list(ids),
    )
    return [row.id for row in rows]


async def set_address_state(session: Session, ids: Collection[UUID], state: str) -> None:
    if ids:
        sql = f"update candidates set address_state = :state where tenant_id = {TENANT} and id = any(:ids)"  # noqa: S608 (constants)
        await session.run(sql, ids=list(ids), state=state)


async def interacted(
    session: Session, moments: Mapping[UUID, datetime], days: Mapping[str, int], default: int
) -> list[UUID]:
    rows = await session.rows(
        f"""update candidates c set last_interaction_at = greatest(c.last_interaction_at, t.at),
             retention_expires_on = greatest(c.retention_expires_on, cast(t.at at time zone 'UTC' as date)
               + coalesce(cast(cast(:days as jsonb) ->> c.retention_basis as int), :default))
           from unnest(cast(:ids as uuid[]), cast(:times as timestamptz[])) as t(id, at)
           where c.tenant_id = {TENANT} and c.id = any(:ids) and c.id = t.id
             and (coalesce(c.last_interaction_at, '-infinity') < t.at
               or coalesce(c.retention_expires_on, '-infinity') < cast(t.at at time zone 'UTC' as date)
                 + coalesce(cast(cast(:days as jsonb) ->> c.retention_basis as int), :default))
           returning c.id""",  # noqa: S608 (constants)
        ids=list(moments),
        times=list(moments.values()),
        days=json.dumps(dict(days)),
        default=default,
    )
    return [row.id for row in rows]


async def records(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return the records of these candidates, the oldest first."""
    return await session.rows(
        """select id, candidate_id, source, external_id, record_version, door, payload, features, by, received_at
           from records where candidate_id = any(:ids) order by received_at, id""",
        ids=list(ids),
    )


async def features(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return (candidate_id, features) of the records of these candidates, each one's oldest first.

    Lateral, by the index: without statistics a plan of joins would read all records.
    """
    return await session.rows(
        f"""select c.id as candidate_id, said.features from unnest(cast(:ids as uuid[])) as asked(id)
            join candidates c on c.tenant_id = {TENANT} and c.id = asked.id
              and c.erased_at is null and c.merged_into is null
            cross join lateral (
              select r.features from records r where r.candidate_id = c.id order by r.received_at, r.id
            ) as said""",  # noqa: S608 (a constant)
        ids=list(ids),
    )


async def owners(session: Session, record_ids: Sequence[UUID]) -> list[Any]:
    """Return (id, candidate_id) of these records."""
    return await session.rows("select id, candidate_id from records where id = any(:ids)", ids=list(record_ids))


async def hold(session: Session, ids: Sequence[UUID]) -> None:
    """Lock these candidates until the transaction ends, in the order of their ids."""
    sql = f"select 1 from candidates where tenant_id = {TENANT} and id = any(:ids) order by id for no key update"  # noqa: S608 (a constant)
    await session.run(sql, ids=list(ids))


async def known_externals(session: Session, sources: Sequence[str], ids: Sequence[str]) -> list[Any]:
    """Return (source, id, candidate_id or null, version of the newest record or null) for each asked one."""
    return await session.rows(
        f"""select t.source, t.id, owner.id as candidate_id, r.record_version
            from unnest(cast(:sources as text[]), cast(:ids as text[])) as t(source, id)
            left join external_ids e on e.source = t.source and e.external_id = t.id
            left join lateral (
              select c.id from candidates c where c.tenant_id = {TENANT} and c.id = e.candidate_id and {LIVE}
            ) as owner on true
            left join records r on r.source = t.source and r.external_id = t.id and r.is_current""",  # noqa: S608 (constants)
        sources=list(sources),
        ids=list(ids),
    )


async def supersede(session: Session, sources: Sequence[str], ids: Sequence[str]) -> None:
    """Note that a newer version of these records is about to be written."""
    await session.run(
        """update records r set is_current = false
           from unnest(cast(:sources as text[]), cast(:ids as text[])) as t(source, id)
           where r.source = t.source and r.external_id = t.id and r.is_current""",
        sources=list(sources),
        ids=list(ids),
    )


_TYPES: Final = {
    "birth_date": "date",
    "years_of_experience": "float8",
    **dict.fromkeys(("location", "custom_fields", *LISTS), "jsonb"),
}
_PROFILE: Final = ", ".join(PROFILE)
_ROW: Final = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in PROFILE)
_STORE: Final = f"""
rows as (
  select * from jsonb_to_recordset(cast(:candidates as jsonb)) as t(id uuid, created_at timestamptz, version bigint,
    changed text[], {_ROW}, provenance jsonb, warnings jsonb, retention_expires_on date, retention_basis text)
), made as (
  insert into candidates (id, version, {_PROFILE}, provenance, warnings, retention_expires_on, retention_basis,
    created_at, updated_at)
  select id, version, {_PROFILE}, provenance, warnings, retention_expires_on, retention_basis, created_at, created_at
  from rows where created_at is not null
), kept as (
  update candidates c set version = r.version,
    ({_PROFILE}) = row({", ".join(f"r.{name}" for name in PROFILE)}),
    provenance = r.provenance, warnings = r.warnings,
    updated_at = case when r.version > c.version then now() else c.updated_at end,
    address_state = case when 'email_addresses' = any(r.changed) and c.address_state = 'bounced' then 'ok'
      else c.address_state end
  from rows r where c.tenant_id = {TENANT} and c.id = r.id and r.created_at is null
), said as (
  insert into records (id, candidate_id, first_candidate_id, source, external_id, record_version, door, payload,
    features, normaliser_version, by, is_current)
  select id, candidate_id, candidate_id, source, external_id, record_version, door, payload, features, :normaliser, :by,
    is_current
  from jsonb_to_recordset(cast(:records as jsonb)) as t(id uuid, candidate_id uuid, source text, external_id text,
    record_version bigint, door text, payload jsonb, features jsonb, is_current bool)
), pointed as (
  insert into identifiers (id, candidate_id, record_id, kind, value, raw, value_hash, type, is_primary)
  select id, candidate_id, record_id, kind, value, raw, decode(hash, 'hex'), type, is_primary
  from jsonb_to_recordset(cast(:identifiers as jsonb)) as t(id uuid, candidate_id uuid, record_id uuid, kind text,
    value text, raw text, hash text, type text, is_primary bool)
  on conflict do nothing
), freed as (
  delete from external_ids e using jsonb_to_recordset(cast(:freed as jsonb))
    as t(source text, external_id text, candidate_id uuid)
  where e.source = t.source and e.external_id = t.external_id and e.candidate_id = t.candidate_id
), owned as (
  insert into external_ids (source, external_id, candidate_id, record_id)
  select source, external_id, candidate_id, record_id from jsonb_to_recordset(cast(:external_ids as jsonb))
    as t(source text, external_id text, candidate_id uuid, record_id uuid)
  on conflict (tenant_id, source, external_id) do update
    set candidate_id = excluded.candidate_id, record_id = excluded.record_id
    where external_ids.candidate_id <> excluded.candidate_id
), wanted as (
  select * from unnest(cast(:term_candidates as uuid[]), cast(:terms as text[])) as t(candidate_id, term)
), forgotten as (
  delete from terms where tenant_id = {TENANT} and candidate_id = any(:refiled)
    and not exists (select 1 from wanted w where w.candidate_id = terms.candidate_id and w.term = terms.term)
), termed as (
  insert into terms (term, candidate_id) select term, candidate_id from wanted order by term on conflict do nothing
)
"""  # noqa: S608 (constants)


async def store(session: Session, parameters: Mapping[str, Any], beside: Sequence[Part]) -> None:
    """Write candidates with everything that points at them: one statement for any number of people."""
    sql, values = together([Part(_STORE, parameters), *beside])
    await session.run(sql, **values)


async def set_hidden(session: Session, candidate_id: UUID, *, hidden: bool) -> int:
    """Hide a candidate, or show it again; return its new version."""
    moment = "now()" if hidden else "null"
    return int(
        await session.value(
            f"""update candidates set hidden_at = {moment}, version = version + 1, updated_at = now()
                where tenant_id = {TENANT} and id = :id returning version""",  # noqa: S608 (constants)
            id=candidate_id,
        )
    )


class CustomFieldRepository(ResourceRepository[CustomField]):
    model = CustomField
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_custom_fields_tenant_id_key": CustomFieldKeyTaken}

    async def remove(self, row: CustomField) -> None:
        await self.session.delete(row)
        await self.session.flush()


async def custom_fields(session: Session) -> list[Any]:
    """Return (key, type, options) of every defined field."""
    return await session.rows("select key, type, options from custom_fields")
