from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import exists

from app.candidates.models import Candidate
from app.dedup.models import CandidatePair, DedupPolicy
from app.dedup.sides import COUNTED, LISTS, PARTS
from app.dedup.words import SPELLED
from app.kit import json
from app.kit.columns import TENANT, Part, Target, insert, together
from app.kit.db import Session
from app.kit.paging import Paging
from app.kit.repository import Repository, ResourceRepository

_BESIDE: Final = ", ".join(f"m.{column}" for column in (*LISTS, *COUNTED, "birth_date", "is_vouched"))
_COMPARED: Final = f"m.name, {_BESIDE}"
_SPELLED: Final = ", ".join(f"{each} text" for each in SPELLED)
FEATURES: Final = {
    "record_id": "uuid", "candidate_id": "uuid", "name": "jsonb", "is_plain": "boolean",
    **dict.fromkeys(LISTS, "text[]"),
    **dict.fromkeys((*COUNTED, "birth_date", *PARTS), "text"),
}  # fmt: skip
_FILE: Final = f"""
    keys as (
      insert into record_keys (key_hash, record_id, candidate_id, kind)
      select decode(h, 'hex'), r, c, k
      from unnest(cast(:key_hashes as text[]), cast(:key_records as uuid[]), cast(:key_owners as uuid[]),
        cast(:key_kinds as text[])) as t(h, r, c, k)
      on conflict do nothing
    ), features as (
      insert into match_features ({", ".join(FEATURES)})
      select {", ".join(FEATURES)} from jsonb_to_recordset(cast(:features as jsonb))
        as t({", ".join(f"{name} {kind}" for name, kind in FEATURES.items())})
      on conflict do nothing
    ), counted as (
      insert into term_frequencies (value_hash, n)
      select decode(h, 'hex'), n from unnest(cast(:gained as text[]), cast(:gained_by as bigint[])) as t(h, n)
      order by 1 on conflict (tenant_id, value_hash) do update set n = term_frequencies.n + excluded.n
    )"""  # noqa: S608 (constants)

_PAIRS: Final = Target(
    "candidate_pairs",
    (
        ("id", "uuid"),
        ("left_id", "uuid"),
        ("right_id", "uuid"),
        ("reason", "text"),
        ("probability", "float8"),
        ("weight", "float8"),
        ("evidence", "jsonb"),
    ),
    """order by 3, 4  -- left_id, right_id
       on conflict (tenant_id, left_id, right_id) do update set status = candidate_pairs.status
       returning id, left_id, right_id, status, (xmax = 0) as is_new""",
)


class PolicyRepository(Repository[DedupPolicy]):
    model = DedupPolicy

    async def get(self, *, lock: bool = False) -> DedupPolicy | None:
        return await self.first(self.visible().with_for_update() if lock else self.visible())


class PairRepository(ResourceRepository[CandidatePair]):
    model = CandidatePair

    async def page(
        self,
        statuses: Collection[str],
        paging: Paging,
        *bound_to: Any,  # noqa: ANN401 (filters are any JSON values)
    ) -> tuple[list[CandidatePair], int | None]:
        """Return pairs in one of these states, all without one, of people neither of whom is deleted."""
        sides = CandidatePair.left_id, CandidatePair.right_id
        found = self.visible().where(~exists().where(Candidate.id.in_(sides), Candidate.hidden_at.is_not(None)))
        found = found.where(CandidatePair.status.in_(statuses)) if statuses else found
        return await self.newest(found, paging, *bound_to)


async def lock_people(session: Session, tenant: int, ids: Collection[UUID], held: tuple[Collection[str], int]) -> None:
    """Hold the buckets of all keys of some kinds under which these people are found; `held` is kinds, and buckets.

    The bucket of a key is its first four bytes modulo the number of buckets, a power of two up to 65,536.
    """
    kinds, buckets = held
    await session.run(
        """select pg_advisory_xact_lock(:tenant, bucket) from (
             select distinct (get_byte(k.key_hash, 2) * 256 + get_byte(k.key_hash, 3)) % :buckets as bucket
             from match_features m join record_keys k on k.record_id = m.record_id
             where m.candidate_id = any(:ids) and k.kind = any(:kinds) order by bucket
           ) as t""",
        tenant=tenant,
        ids=list(ids),
        kinds=list(kinds),
        buckets=buckets,
    )


async def known(
    session: Session, lock: tuple[int, Sequence[int]], counted: Sequence[bytes], shared: Sequence[bytes]
) -> Any:  # noqa: ANN401 (a row)
    """Hold these buckets of a tenant, `lock`, until the transaction ends, and return what matching goes by then.

    The row is (policy, pool, counting, settings and version of the model, held, generic, region), null where unsaid:
    how many candidates hold each counted value, in order, which shared keys are generic, and where the tenant dials.
    """
    return await session.row(
        """select policy, pool, counting, settings, version, held, generic, region
           from match_known(:tenant, :buckets, :counted, :shared)""",
        tenant=lock[0],
        buckets=list(lock[1]),
        counted=list(counted),
        shared=list(shared),
    )


async def met(
    session: Session, asked: Mapping[bytes, int], employers: Collection[str], births: Collection[str], cap: int
) -> list[Any]:
    """Return whom these keys lead to, of each the oldest records up to `cap`: (led_by, candidate_id, flat features).

    Only live people, in no order. What more is asked of somebody goes by the keys of `asked` that lead to them, see
    `Asked`. A row of no candidate names a key that more records share than are looked at.
    """
    return await session.rows(
        f"""select led_by, candidate_id, record_id, {_COMPARED}
            from match_met(:hashes, :asked, :employers, :births, :cap) as m""",  # noqa: S608 (constants)
        hashes=list(asked),
        asked=list(asked.values()),
        employers=sorted(employers),
        births=sorted(births),
        cap=cap,
    )


async def sides(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return the flat features of all records of these candidates, of live ones only, each one's oldest first."""
    return await session.rows(f"select candidate_id, record_id, {_COMPARED} from match_sides(:ids) as m", ids=list(ids))  # noqa: S608 (constants)


async def shown(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return what all records of these candidates show, of live ones only, each one's oldest first.

    Rows are the flat features but for the name, which is null, and the `SPELLED` fields and contacts as they came.
    """
    return await session.rows(
        f"""select m.candidate_id, m.record_id, null as name, {_BESIDE}, r.features -> 'contacts' as contacts, said.*
            from candidates c join match_features m on m.candidate_id = c.id join records r on r.id = m.record_id
            cross join lateral jsonb_to_record(r.payload) as said({_SPELLED})
            where c.tenant_id = {TENANT} and c.id = any(:ids)
              and c.hidden_at is null and c.erased_at is null and c.merged_into is null
            order by m.record_id""",  # noqa: S608 (constants)
        ids=list(ids),
    )


async def came_with(session: Session, candidate_id: UUID) -> list[Any]:
    """Return the flat features of the records that came to this id, or to ids that were merged into it."""
    return await session.rows(
        f"""with recursive part(id) as (
              select cast(:id as uuid)
              union select c.id from candidates c join part p on c.tenant_id = {TENANT} and c.merged_into = p.id
            )
            select m.candidate_id, m.record_id, {_COMPARED} from part p
            join records r on r.first_candidate_id = p.id join match_features m on m.record_id = r.id
            order by m.record_id""",  # noqa: S608 (constants)
        id=candidate_id,
    )


async def spellings(session: Session, record_ids: Collection[UUID]) -> list[Any]:
    """Return (id, contacts) of these records, and their `SPELLED` fields as they came."""
    return await session.rows(
        f"""select r.id, r.features -> 'contacts' as contacts, said.* from unnest(cast(:ids as uuid[])) as asked(id)
            join records r on r.id = asked.id
            cross join lateral jsonb_to_record(r.payload) as said({_SPELLED})""",  # noqa: S608 (constants)
        ids=list(record_ids),
    )


async def decided(session: Session, left: Sequence[UUID], right: Sequence[UUID]) -> Any:  # noqa: ANN401 (a row)
    """Return (verdict, actor) of what a person last decided between records of two sides, or None."""
    return await session.row(
        """select verdict, actor from link_decisions
           where by = 'person' and revoked_at is null
             and ((a = any(cast(:left as uuid[])) and b = any(cast(:right as uuid[])))
               or (a = any(cast(:right as uuid[])) and b = any(cast(:left as uuid[]))))
           order by at desc limit 1""",
        left=list(left),
        right=list(right),
    )


def filing(filed: Mapping[str, Any]) -> Part:
    """Return what writes the keys, the flat features and the counts of new records."""
    return Part(_FILE, filed)


async def file(session: Session, filing: Part) -> None:
    sql, values = together([filing])
    await session.run(sql, **values)


async def mark_generic(session: Session, hashes: Collection[bytes], n: int) -> None:
    await session.run(
        """insert into key_stats (key_hash, n, generic)
           select h, :n, true from unnest(cast(:hashes as bytea[])) as t(h) order by h
           on conflict (tenant_id, key_hash) do update
             set generic = true, n = greatest(key_stats.n, excluded.n), judged_at = null""",
        hashes=list(hashes),
        n=n,
    )


async def lay_aside(session: Session, values: Sequence[str], hashes: Sequence[bytes]) -> None:
    """Note with every record that shows one of these values that it is generic."""
    await session.run(
        """update match_features f set generic = array_append(f.generic, k.value)
           from unnest(cast(:values as text[]), cast(:hashes as bytea[])) as k(value, hash)
           join record_keys r on r.key_hash = k.hash
           where f.record_id = r.record_id and not f.generic @> array[k.value]""",
        values=list(values),
        hashes=list(hashes),
    )


async def free(session: Session, owners: Sequence[UUID], external_ids: Sequence[str], hashes: Sequence[bytes]) -> None:
    """Take external ids out of what the records of their former owners are found and compared by."""
    await session.run(
        """with freed as (
             select owner, external_id, hash from unnest(cast(:owners as uuid[]), cast(:external_ids as text[]),
               cast(:hashes as bytea[])) as t(owner, external_id, hash)
           ), unfiled as (
             delete from record_keys k using freed f where k.key_hash = f.hash and k.candidate_id = f.owner
           )
           update match_features m set external_ids = array_remove(m.external_ids, f.external_id)
           from freed f where m.candidate_id = f.owner and m.external_ids @> array[f.external_id]""",
        owners=list(owners),
        external_ids=list(external_ids),
        hashes=list(hashes),
    )


async def decide(session: Session, decisions: Sequence[Mapping[str, Any]]) -> None:
    await session.run(
        """insert into link_decisions (id, a, b, verdict, by, model_version, weight, evidence)
           select id, a, b, verdict, by, model_version, weight, evidence from jsonb_to_recordset(cast(:rows as jsonb))
             as t(id uuid, a uuid, b uuid, verdict text, by text, model_version text, weight float8, evidence jsonb)
           on conflict do nothing""",
        rows=json.dumps(decisions),
    )


async def open_pairs(session: Session, pairs: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Write pairs, at least one, that are not there yet; return all as they are stored, with whether each is new."""
    sql, values = insert(_PAIRS, {name: [pair[name] for pair in pairs] for name, _ in _PAIRS.columns})
    return await session.rows(sql, **values)


async def stored_pairs(session: Session, pairs: Sequence[tuple[UUID, UUID]]) -> list[Any]:
    """Return (left_id, right_id) of those pairs that are there."""
    return await session.rows(
        """select left_id, right_id
           from unnest(cast(:left as uuid[]), cast(:right as uuid[])) as asked(left_id, right_id)
           join candidate_pairs using (left_id, right_id)""",
        left=[left for left, _ in pairs],
        right=[right for _, right in pairs],
    )
