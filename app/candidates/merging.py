"""What becomes of who people are when two are found to be one, when that is undone, when a record is taken out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.candidates import repository, service
from app.candidates.standing import Standing
from app.kit import json
from app.kit.columns import TENANT
from app.kit.db import Session

_OWNED: Final = ("records", "identifiers", "external_ids")
_STANDING: Final = "id, hidden_at, erased_at, merged_into, xmin as written_by"
_OF_MOVES: Final = "unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) as m(loser, survivor)"


@dataclass(frozen=True, slots=True)
class Place:
    """One record's place in time among those of several people; `first_id` is whom it came to."""

    record_id: UUID
    candidate_id: UUID
    first_id: UUID


async def hold(session: Session, ids: Collection[UUID]) -> dict[UUID, Any]:
    """Lock these candidates, in the order of their ids; return id → (hidden_at, erased_at, merged_into, written_by).

    The strongest lock: who has just written a row that belongs to one of them is waited for, and is seen afterwards.
    """
    sql = f"select {_STANDING} from candidates where tenant_id = {TENANT} and id = any(:ids) order by id for update"  # noqa: S608 (constants)
    rows = await session.rows(sql, ids=list(ids))
    return {row.id: row for row in rows}


async def stand_now(session: Session, ids: Collection[UUID]) -> dict[UUID, Any]:
    """Return what `hold` does, without a lock: who is `written_by` the same then has not changed in between."""
    sql = f"select {_STANDING} from candidates where tenant_id = {TENANT} and id = any(:ids)"  # noqa: S608 (constants)
    rows = await session.rows(sql, ids=list(ids))
    return {row.id: row for row in rows}


def is_live(row: Any) -> bool:  # noqa: ANN401 (a row)
    """Whether what `hold` found is a person whom everybody sees."""
    return row is not None and row.hidden_at is None and row.erased_at is None and row.merged_into is None


async def places(session: Session, ids: Collection[UUID]) -> list[Place]:
    """Return the records of these candidates in the one order in which profiles take them, the oldest first."""
    rows = await session.rows(
        """select id, candidate_id, first_candidate_id from records
           where candidate_id = any(:ids) order by received_at, id""",
        ids=list(ids),
    )
    return [Place(row.id, row.candidate_id, row.first_candidate_id) for row in rows]


async def absorb(session: Session, moves: Mapping[UUID, UUID]) -> None:
    """Let losers (→ survivor, live ones only) be part of their survivors: records, identifiers, former ids."""
    pairs = {"losers": list(moves), "survivors": list(moves.values())}
    for table in (*_OWNED, "aliases"):
        await session.run(
            f"update {table} t set candidate_id = m.survivor from {_OF_MOVES} where t.candidate_id = m.loser",  # noqa: S608 (constants)
            **pairs,
        )
    await session.run(f"insert into aliases (old_id, candidate_id) select loser, survivor from {_OF_MOVES}", **pairs)  # noqa: S608 (constants)
    await session.run("delete from terms where candidate_id = any(:losers)", losers=list(moves))
    await session.run(
        f"""update candidates c set merged_into = m.survivor from {_OF_MOVES}
            where c.tenant_id = {TENANT} and c.id = m.loser""",  # noqa: S608 (constants)
        **pairs,
    )


async def members(session: Session, candidate_id: UUID) -> list[UUID]:
    """Return a candidate and all who became part of them; rows that arrived with these belong to them."""
    rows = await session.rows(
        f"""with recursive part as (
              select cast(:id as uuid) as id
              union select c.id from candidates c join part on c.tenant_id = {TENANT} and c.merged_into = part.id
            ) select id from part""",  # noqa: S608 (constants)
        id=candidate_id,
    )
    return [row.id for row in rows]


async def release(
    session: Session, survivor_id: UUID, loser_id: UUID, members: Sequence[UUID], records: Sequence[UUID]
) -> None:
    """Undo `absorb`: the loser is somebody again, with these records and the ids of `members`."""
    await session.run("delete from aliases where old_id = :loser_id", loser_id=loser_id)
    await session.run(
        "update aliases set candidate_id = :loser_id where candidate_id = :survivor_id and old_id = any(:members)",
        survivor_id=survivor_id,
        loser_id=loser_id,
        members=list(members),
    )
    await session.run(
        f"update candidates set merged_into = null where tenant_id = {TENANT} and id = :loser_id",  # noqa: S608 (constants)
        loser_id=loser_id,
    )
    await give(session, records, loser_id, members)


async def give(session: Session, records: Sequence[UUID], candidate_id: UUID, members: Sequence[UUID] = ()) -> None:
    """Give records to a candidate, with what they brought; those that came to one of `members` stay marked so."""
    given = {"records": list(records), "candidate_id": candidate_id}
    await session.run(
        """update records set candidate_id = :candidate_id,
             first_candidate_id = case when first_candidate_id = any(:members) then first_candidate_id
               else :candidate_id end
           where id = any(:records)""",
        **given,
        members=list(members),
    )
    for table in ("identifiers", "external_ids"):
        await session.run(f"update {table} set candidate_id = :candidate_id where record_id = any(:records)", **given)  # noqa: S608 (constants)


async def own_again(session: Session, candidate_id: UUID, records: Sequence[UUID]) -> list[tuple[str, str]]:
    """Give a candidate back the external ids that a correction of the merged profile had freed.

    Returns those that somebody else has by now.
    """
    rows = await session.rows(
        f"""with stated as (
             select distinct on (source, external_id) e ->> 0 as source, e ->> 1 as external_id, r.id as record_id
             from records r cross join lateral jsonb_array_elements(r.features -> 'external_ids') as e
             join candidates c on c.tenant_id = {TENANT} and c.id = :candidate_id
             where r.id = any(:records)
               and c.external_ids @> jsonb_build_array(jsonb_build_object('source', e ->> 0, 'id', e ->> 1))
             order by source, external_id, r.id
           ), owned as (
             insert into external_ids (source, external_id, candidate_id, record_id)
             select source, external_id, :candidate_id, record_id from stated
             on conflict (tenant_id, source, external_id) do nothing
           )
           select e.source, e.external_id from external_ids e join stated using (source, external_id)
           where e.candidate_id <> :candidate_id""",  # noqa: S608 (constants)
        candidate_id=candidate_id,
        records=list(records),
    )
    return [(row.source, row.external_id) for row in rows]


async def forget_record(session: Session, record_id: UUID) -> None:
    """Take away a record that a merge has written for itself; it stated no identifier."""
    await session.run("delete from records where id = :id", id=record_id)


async def stand(session: Session, standings: Mapping[UUID, Standing]) -> None:
    """Write how these people stand."""
    if not standings:
        return
    await session.run(
        f"""update candidates c set last_interaction_at = s.last_interaction_at,
             retention_expires_on = s.retention_expires_on, retention_basis = s.retention_basis
           from jsonb_to_recordset(cast(:rows as jsonb)) as s(id uuid, last_interaction_at timestamptz,
             retention_expires_on date, retention_basis text)
           where c.tenant_id = {TENANT} and c.id = s.id""",  # noqa: S608 (constants)
        rows=json.dumps([{"id": each, **standing.dump()} for each, standing in standings.items()]),
    )


async def settle_addresses(session: Session, ids: Sequence[UUID]) -> None:
    """Write whether mails to these people come back: their addresses are others now."""
    doubtful = await repository.not_reached(session, ids)
    found = await service.profiles(session, doubtful)
    addresses = {each: profile.mail_address() for each, profile in found.items()}
    bounced = {each for each, address in addresses.items() if address and address.state == "bounced"}
    await repository.set_address_state(session, bounced, "bounced")
    await repository.set_address_state(session, [each for each in doubtful if each not in bounced], "ok")
