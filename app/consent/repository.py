"""The statements of consent; each is one round trip for any number of people."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from app.candidates.aliases import MEANT
from app.consent.contact import Decision
from app.consent.evident import EVIDENT
from app.kit import json
from app.kit.clock import now
from app.kit.columns import TENANT
from app.kit.db import Session

_CONSENT: Final = """id, candidate_id, purpose, channel, status, basis, policy_version, wording, evidence, obtained_at,
  expires_at, lift_suppression, created_at as recorded_at, actor"""
_CONSENT_FILTER: Final = """candidate_id = :candidate_id
  and (cast(:purpose as text[]) is null or purpose = any(cast(:purpose as text[])))
  and (cast(:channel as text[]) is null or channel = any(cast(:channel as text[])))"""
_SUPPRESSION_FILTER: Final = """(cast(:channel as text[]) is null or channel = any(cast(:channel as text[])))
  and (cast(:reason as text[]) is null or reason = any(cast(:reason as text[])))"""
CARRIED: Final = "merge"
"""The evidence of a withdrawal that a merge repeated."""
_DECIDED: Final = tuple(field.name for field in fields(Decision) if field.name != "reasons")
_MOVED: Final = ("consents", "contact_decisions", "contact_uses")
_COUNTED: Final = 10_001
"""A total is counted only as far as it is shown."""
_SUPPRESSION: Final = "id, channel, reason, source, hint, note, since, created_at"


async def people(session: Session, ids: Collection[UUID], *, lock: bool) -> list[Any]:
    """Return what the gate asks of each candidate, under the id that was asked; unknown ones are absent.

    The lock is the strongest, so that no statement about these people is recorded until the transaction ends.
    """
    locking = "order by c.id for update of c" if lock else ""
    return await session.rows(
        f"""select live.asked, c.id, c.timezone, c.location ->> 'country_code' as country_code,
             c.hidden_at is not null or c.erased_at is not null as is_gone, c.email_addresses, c.phone_numbers, c.links,
             c.retention_expires_on, c.live_selection_at, c.rejected_at, c.last_interaction_at,
             array(select distinct i.value from identifiers i
                   where i.candidate_id = c.id and i.kind = 'email' and i.state = 'bounced' and i.value is not null)
               as bounced
           from {MEANT} join candidates c on c.tenant_id = {TENANT} and c.id = live.id {locking}""",  # noqa: S608 (constants)
        ids=list(set(ids)),
    )


async def evident(session: Session, ids: Collection[UUID], today: date, at: datetime) -> list[Any]:
    """Return (id, contactable) of live candidates; null where something is on file that the gate has to weigh."""
    return await session.rows(EVIDENT, ids=list(ids), today=today, at=at)


async def live_ids(session: Session, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return asked id → live candidate, held against merging until the transaction ends.

    Whoever was merged while this waited is asked for again: the same statement does not see under which id.
    """
    found = await _live_ids(session, ids, lock=True)
    missing = set(ids) - found.keys()
    while missing and await _live_ids(session, missing, lock=False):
        found |= await _live_ids(session, missing, lock=True)
        missing -= found.keys()
    return found


async def _live_ids(session: Session, ids: Collection[UUID], *, lock: bool) -> dict[UUID, UUID]:
    locking = "order by c.id for key share of c" if lock else ""
    rows = await session.rows(
        f"""select live.asked, c.id from {MEANT} join candidates c on c.tenant_id = {TENANT} and c.id = live.id
           where c.hidden_at is null and c.erased_at is null and c.merged_into is null {locking}""",  # noqa: S608 (constants)
        ids=list(set(ids)),
    )
    return {row.asked: row.id for row in rows}


async def statements(session: Session, ids: Collection[UUID]) -> list[Any]:
    """Return what the ledger's law asks of all statements of these candidates."""
    return await session.rows(
        """select id, candidate_id, purpose, channel, status, basis, obtained_at, expires_at, lift_suppression
           from consents where candidate_id = any(:ids)""",
        ids=list(ids),
    )


async def add_statements(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Append statements; return them as they are read, in the order of `rows`."""
    return await session.rows(
        f"""with given as (
              select * from jsonb_to_recordset(cast(:rows as jsonb)) as t(place int, id uuid, candidate_id uuid,
                purpose text, channel text, status text, basis text, policy_version text, wording text, evidence jsonb,
                lift_suppression boolean, obtained_at timestamptz, expires_at timestamptz)
            )
            insert into consents (id, candidate_id, arrived_with, purpose, channel, status, basis, policy_version,
              wording, wording_hash, evidence, lift_suppression, obtained_at, expires_at, actor, created_at)
            select id, candidate_id, candidate_id, purpose, channel, status, basis, policy_version, wording,
              sha256(convert_to(wording, 'UTF8')), nullif(evidence, 'null'), lift_suppression, obtained_at, expires_at,
              :actor, :at
            from given order by place returning {_CONSENT}""",  # noqa: S608 (constants)
        rows=json.dumps([{**row, "place": place} for place, row in enumerate(rows)]),
        actor=session.caller.actor,
        at=now(),
    )


async def consent_page(
    session: Session, candidate_id: UUID, filters: Mapping[str, Any], after: UUID | None, limit: int
) -> list[Any]:
    """Return statements of a candidate, the last recorded first."""
    return await session.rows(
        f"""select {_CONSENT} from consents
            where {_CONSENT_FILTER} and (cast(:after as uuid) is null or id < :after)
            order by id desc limit :limit""",  # noqa: S608 (constants)
        candidate_id=candidate_id,
        purpose=filters.get("purpose"),
        channel=filters.get("channel"),
        after=after,
        limit=limit,
    )


async def count_consents(session: Session, candidate_id: UUID, filters: Mapping[str, Any]) -> int:
    return await _count(
        session,
        f"select from consents where {_CONSENT_FILTER}",
        candidate_id=candidate_id,
        purpose=filters.get("purpose"),
        channel=filters.get("channel"),
    )


async def suppressions_of(session: Session, hashes: Collection[bytes]) -> list[Any]:
    """Return (value_hmac, channel, reason, since) of these values."""
    return await session.rows(
        "select value_hmac, channel, reason, since from suppressions where value_hmac = any(:hashes)",
        hashes=list(hashes),
    )


async def suppressions_on(session: Session, channel: str, value_hmac: bytes) -> list[Any]:
    """Return the suppressions that hold for a value on a channel, the newest first."""
    return await session.rows(
        f"""select {_SUPPRESSION} from suppressions
            where value_hmac = :value_hmac and (channel in (:channel, 'any') or reason = 'erased') order by id desc""",  # noqa: S608 (constants)
        channel=channel,
        value_hmac=value_hmac,
    )


async def add_suppression(session: Session, row: Mapping[str, Any]) -> tuple[Any, bool]:
    """Write a suppression, or renew the one there is; return it and whether it is new."""
    found = await session.row(
        f"""insert into suppressions as s (id, channel, kind, value_hmac, reason, source, hint, note, since, created_at)
            values (:id, :channel, :kind, :value_hmac, :reason, :source, :hint, :note, :at, :at)
            on conflict (tenant_id, channel, kind, value_hmac, reason)
              do update set since = greatest(s.since, excluded.since), note = coalesce(excluded.note, s.note)
            returning {_SUPPRESSION}""",  # noqa: S608 (constants)
        **row,
        at=now(),
    )
    return found, found.id == row["id"]


async def suppression(session: Session, suppression_id: UUID, *, lock: bool = False) -> Any:  # noqa: ANN401 (a row)
    locking = " for update" if lock else ""
    sql = f"select {_SUPPRESSION} from suppressions where id = :id"  # noqa: S608 (constants)
    return await session.row(sql + locking, id=suppression_id)


async def remove_suppression(session: Session, suppression_id: UUID) -> None:
    await session.run("delete from suppressions where id = :id", id=suppression_id)


async def suppression_page(session: Session, filters: Mapping[str, Any], after: UUID | None, limit: int) -> list[Any]:
    """Return suppressions, the newest first."""
    return await session.rows(
        f"""select {_SUPPRESSION} from suppressions
            where {_SUPPRESSION_FILTER} and (cast(:after as uuid) is null or id < :after)
            order by id desc limit :limit""",  # noqa: S608 (constants)
        channel=filters.get("channel"),
        reason=filters.get("reason"),
        after=after,
        limit=limit,
    )


async def count_suppressions(session: Session, filters: Mapping[str, Any]) -> int:
    return await _count(
        session,
        f"select from suppressions where {_SUPPRESSION_FILTER}",
        channel=filters.get("channel"),
        reason=filters.get("reason"),
    )


async def uses(session: Session, keys: Sequence[tuple[UUID, str, datetime, UUID | None]], limit: int) -> list[Any]:
    """Return (place, counted_at, human_sign_at) of the newest `limit` contacts up to `at`, newest first.

    The keys are (candidate, channel, at, message); a message's own contact does not count against it.
    """
    return await session.rows(
        """select k.place, u.counted_at, u.human_sign_at
           from unnest(cast(:ids as uuid[]), cast(:channels as text[]), cast(:ats as timestamptz[]),
                       cast(:messages as uuid[])) with ordinality as k(candidate_id, channel, at, message_id, place)
           cross join lateral (
             select counted_at, human_sign_at from contact_uses u
             where u.candidate_id = k.candidate_id and u.channel = k.channel and u.counted_at <= k.at
               and u.message_id is distinct from k.message_id
             order by counted_at desc limit :limit) u
           order by k.place, u.counted_at desc""",
        ids=[key[0] for key in keys],
        channels=[key[1] for key in keys],
        ats=[key[2] for key in keys],
        messages=[key[3] for key in keys],
        limit=limit,
    )


async def keep_decisions(session: Session, decisions: Sequence[Decision]) -> None:
    """Write decisions; those about nobody that is known have no row to belong to."""
    rows = [{**{name: getattr(each, name) for name in _DECIDED}, "reasons": each.codes} for each in decisions]
    await session.run(
        """insert into contact_decisions (id, candidate_id, arrived_with, channel, purpose, at, decision, not_before,
             reasons, rule_version, consent_id, expires_at, actor)
           select id, candidate_id, candidate_id, channel, purpose, at, decision, not_before, reasons, rule_version,
             consent_id, expires_at, :actor
           from jsonb_to_recordset(cast(:rows as jsonb)) as t(id uuid, candidate_id uuid, channel text, purpose text,
             at timestamptz, decision text, not_before timestamptz, reasons text[], rule_version int, consent_id uuid,
             expires_at timestamptz)""",
        rows=json.dumps(rows),
        actor=session.caller.actor,
    )


async def count_uses(session: Session, contacts: Mapping[UUID, UUID], channel: str, at: datetime) -> None:
    await session.run(
        """insert into contact_uses (message_id, candidate_id, arrived_with, channel, counted_at)
           select message_id, candidate_id, candidate_id, :channel, :at
           from unnest(cast(:messages as uuid[]), cast(:candidates as uuid[])) as t(message_id, candidate_id)
           order by message_id
           on conflict (tenant_id, message_id) do update set counted_at = excluded.counted_at""",
        messages=list(contacts),
        candidates=list(contacts.values()),
        channel=channel,
        at=at,
    )


async def time_uses(session: Session, messages: Sequence[UUID], at: datetime) -> None:
    await session.run(
        "update contact_uses set counted_at = :at where message_id = any(:messages)", messages=list(messages), at=at
    )


async def uncount_uses(session: Session, messages: Sequence[UUID]) -> None:
    await session.run("delete from contact_uses where message_id = any(:messages)", messages=list(messages))


async def sign_uses(session: Session, moments: Mapping[UUID, datetime]) -> None:
    await session.run(
        """update contact_uses u set human_sign_at = least(u.human_sign_at, t.at)
           from unnest(cast(:ids as uuid[]), cast(:times as timestamptz[])) as t(message_id, at)
           where u.message_id = t.message_id""",
        ids=list(moments),
        times=list(moments.values()),
    )


async def take_lease(session: Session, candidate_id: UUID, pool_id: UUID | None, holder: str, until: datetime) -> bool:
    """Take or renew a lease; False while somebody else's has not ended."""
    taken = await session.value(
        """insert into leases as l (candidate_id, pool_id, holder, expires_at)
           values (:candidate_id, :pool_id, :holder, :until)
           on conflict (tenant_id, candidate_id)
             do update set pool_id = excluded.pool_id, holder = excluded.holder, expires_at = excluded.expires_at
             where l.expires_at <= :at or l.holder = excluded.holder
           returning true""",
        candidate_id=candidate_id,
        pool_id=pool_id,
        holder=holder,
        until=until,
        at=now(),
    )
    return bool(taken)


async def leases(session: Session, ids: Collection[UUID]) -> list[Any]:
    return await session.rows(
        "select candidate_id, holder, expires_at from leases where candidate_id = any(:ids)", ids=list(ids)
    )


async def release_lease(session: Session, candidate_id: UUID) -> None:
    await session.run("delete from leases where candidate_id = :candidate_id", candidate_id=candidate_id)


async def move(session: Session, losers: Sequence[UUID], survivors: Sequence[UUID]) -> None:
    """Give each survivor its loser's rows."""
    for table in _MOVED:
        await session.run(
            f"""update {table} t set candidate_id = m.survivor
                from unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) as m(loser, survivor)
                where t.candidate_id = m.loser""",  # noqa: S608 (constants)
            losers=list(losers),
            survivors=list(survivors),
        )


async def count_by_person(session: Session, ids: Collection[UUID]) -> list[Any]:
    return await session.rows(
        "select candidate_id, count(*) as n from consents where candidate_id = any(:ids) group by candidate_id",
        ids=list(ids),
    )


async def move_back(session: Session, survivor_id: UUID, loser_id: UUID, members: Collection[UUID]) -> None:
    """Give back to the loser what arrived with `members`."""
    for table in _MOVED:
        await session.run(
            f"""update {table} set candidate_id = :loser_id
                where candidate_id = :survivor_id and arrived_with = any(:members)""",  # noqa: S608 (constants)
            survivor_id=survivor_id,
            loser_id=loser_id,
            members=list(members),
        )


async def move_leases(session: Session, losers: Sequence[UUID], survivors: Sequence[UUID]) -> None:
    """Let the longest lease of all that become one person be the survivor's."""
    await session.run(
        """with lost as (
             delete from leases l
             using unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) as m(loser, survivor)
             where l.candidate_id = m.loser returning m.survivor, l.pool_id, l.holder, l.expires_at
           )
           insert into leases as l (candidate_id, pool_id, holder, expires_at)
           select distinct on (survivor) survivor, pool_id, holder, expires_at from lost
           order by survivor, expires_at desc
           on conflict (tenant_id, candidate_id)
             do update set pool_id = excluded.pool_id, holder = excluded.holder, expires_at = excluded.expires_at
             where l.expires_at < excluded.expires_at""",
        losers=list(losers),
        survivors=list(survivors),
    )


async def between(session: Session, candidate_id: UUID, since: datetime) -> list[Any]:
    """Return the statements that people made about a candidate after `since`, in order."""
    return await session.rows(
        """select id, purpose, channel, status, obtained_at from consents
           where candidate_id = :candidate_id and created_at > :since
             and evidence ->> 'detail' is distinct from :carried order by id""",
        candidate_id=candidate_id,
        since=since,
        carried=CARRIED,
    )


async def forget(session: Session, candidate_id: UUID, hashes: Collection[bytes]) -> None:
    """Empty what was written in free words about a candidate and their addresses."""
    await session.run(
        "update consents set evidence = null where candidate_id = :id and evidence is not null", id=candidate_id
    )
    await session.run(
        "update suppressions set note = null, hint = '…' where value_hmac = any(:hashes)", hashes=list(hashes)
    )


async def block(session: Session, rows: Sequence[Mapping[str, Any]], source: str) -> None:
    """Write the suppressions of an erased person."""
    await session.run(
        """insert into suppressions (id, channel, kind, value_hmac, reason, source, hint, since, created_at)
           select id, channel, kind, decode(value_hmac, 'hex'), 'erased', :source, '…', :at, :at
           from jsonb_to_recordset(cast(:rows as jsonb)) as t(id uuid, channel text, kind text, value_hmac text)
           on conflict (tenant_id, channel, kind, value_hmac, reason) do update set source = excluded.source""",
        rows=json.dumps(list(rows)),
        source=source,
        at=now(),
    )


async def unblock(session: Session, source: str) -> int:
    return await session.run("delete from suppressions where reason = 'erased' and source = :source", source=source)


async def _count(session: Session, rows: str, **parameters: Any) -> int:  # noqa: ANN401 (SQL parameters)
    sql = f"select count(*) from ({rows} limit {_COUNTED}) as found"  # noqa: S608 (constants)
    return int(await session.value(sql, **parameters))
