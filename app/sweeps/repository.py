"""The statements of a sweep: over a whole pool, so each has its own limit of time."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.dedup.sides import COUNTED, LISTS, PARTS
from app.kit.db import Session
from app.sweeps.exported import DELIMITER, QUOTE, Exported

LIMIT: Final = "set local statement_timeout = '30min'"
WAITED: Final = "set local lock_timeout = '2s'"
"""A batch that holds some gives them up rather than wait longer for others."""
MET: Final = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of a serialisation failure, a deadlock, a lock that was waited for too long."""
STRONG_KINDS: Final = ("email", "phone", "url")


async def wait_little(session: Session) -> None:
    """Let no statement of this transaction wait long for a lock."""
    await session.run(WAITED)


def is_conflict(error: Exception) -> bool:
    """Say whether a transaction only met another one."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in MET


async def unfiled(session: Session, most: int) -> list[Any]:
    """Return (id, candidate_id, payload, features) of records that were stored before matching filed flat features.

    Only who they are is asked of all records, for which their index is enough.
    """
    return await session.rows(
        """select r.id, r.candidate_id, r.payload, r.features from records r where r.id in (
             select id from records
             where not exists (select from match_features m where m.record_id = records.id) limit :most)""",
        most=most,
    )


async def count_pool(session: Session) -> None:
    """Count the live candidates; the prior goes by that."""
    await session.run(LIMIT)
    await session.run(
        """insert into match_state (pool) select count(*) from candidates
             where hidden_at is null and erased_at is null and merged_into is null
           on conflict (tenant_id) do update set pool = excluded.pool"""
    )


async def count_values(session: Session, secret: bytes) -> None:
    """Count anew how many live candidates hold each counted value; only what was wrong is written."""
    await session.run(LIMIT)
    held = " union all ".join(
        f"select '{each}' || chr(31) || {each} as value, candidate_id from match_features where {each} is not null"  # noqa: S608 (constants)
        for each in COUNTED
    )
    await session.run(
        f"""with counted as (
              select substring(sha256(:secret || convert_to(h.value, 'UTF8')) for 8) as value_hash,
                count(distinct h.candidate_id) as n
              from ({held}) as h join candidates c on c.id = h.candidate_id
                and c.hidden_at is null and c.erased_at is null and c.merged_into is null
              group by h.value
            ), gone as (
              delete from term_frequencies t where not exists (select from counted k where k.value_hash = t.value_hash)
            )
            insert into term_frequencies as t (value_hash, n)
            select k.value_hash, cast(sum(k.n) as bigint) from counted k
            left join term_frequencies f on f.value_hash = k.value_hash
            where f.n is distinct from k.n group by k.value_hash order by k.value_hash
            on conflict (tenant_id, value_hash) do update set n = excluded.n""",  # noqa: S608 (constants)
        secret=secret,
    )


async def mend_counts(session: Session, hashes: Sequence[str], more: Sequence[int]) -> None:
    """Count so many more candidates (or fewer) for values, by their hashes in hexadecimal; nobody's are forgotten."""
    await session.run(
        """insert into term_frequencies as t (value_hash, n)
           select decode(h, 'hex'), n from unnest(cast(:hashes as text[]), cast(:more as bigint[])) as w(h, n)
           order by 1
           on conflict (tenant_id, value_hash) do update set n = t.n + excluded.n""",
        hashes=list(hashes),
        more=list(more),
    )
    await session.run(
        """delete from term_frequencies t using unnest(cast(:hashes as text[])) as w(h)
           where t.value_hash = decode(w.h, 'hex') and t.n <= 0""",
        hashes=list(hashes),
    )


async def renew(session: Session) -> None:
    """Note that the pool's values are counted anew: decisions name the counting that they rest on."""
    await session.run("update match_state set counting = counting + 1, counted_at = now()")


async def shared_keys(session: Session, fewest: int, most: int) -> list[Any]:
    """Return (key_hash, ids, generic) of contacts that so many candidates share, with at most `most` of them."""
    await session.run(LIMIT)
    return await session.rows(
        """select k.key_hash, k.ids[1:cast(:most as int)] as ids, coalesce(s.generic, false) as generic
           from (
             select key_hash, array_agg(distinct candidate_id) as ids from record_keys
             where kind = any(cast(:kinds as text[])) group by key_hash
             having count(distinct candidate_id) >= :fewest
           ) as k left join key_stats s on s.key_hash = k.key_hash
           union all
           select s.key_hash, '{}', true from key_stats s
           where s.generic and (select count(distinct candidate_id) from record_keys r
             where r.key_hash = s.key_hash) < :fewest""",
        kinds=list(STRONG_KINDS),
        fewest=fewest,
        most=most,
    )


async def holders_of(session: Session, hashes: Sequence[bytes]) -> list[Any]:
    """Return (key_hash, record_id, candidate_id) of everybody who shows these keys."""
    return await session.rows(
        """select key_hash, record_id, candidate_id from record_keys
           where key_hash = any(cast(:hashes as bytea[])) order by key_hash, record_id""",
        hashes=list(hashes),
    )


async def export(session: Session, exported: Exported) -> None:
    """Write the flat features of all live candidates, lists as JSON, and how many are known to hold each value.

    In a transaction of one view both are of one moment, whatever the doors write in between.
    """
    await session.run(LIMIT)
    lists = ", ".join(f"array_to_json(nullif(m.{each}, '{{}}')) as {each}" for each in LISTS)
    texts = ", ".join(f"m.{each}" for each in (*COUNTED, "birth_date", "name", *PARTS, "is_plain"))
    await session.copy(
        f"""select m.candidate_id, {lists}, {texts} from match_features m
            join candidates c on c.id = m.candidate_id
              and c.hidden_at is null and c.erased_at is null and c.merged_into is null""",  # noqa: S608 (constants)
        exported.features,
        delimiter=DELIMITER,
        quote=QUOTE,
    )
    await session.copy("select encode(value_hash, 'hex') as hash, n from term_frequencies", exported.counts)


async def automatic_links(session: Session, record_ids: Sequence[UUID]) -> list[Any]:
    """Return (id, a, b) of live links between these records and others that no person made."""
    return await session.rows(
        """select id, a, b from link_decisions
           where verdict = 'same' and by <> 'person' and revoked_at is null
             and (a = any(cast(:ids as uuid[])) or b = any(cast(:ids as uuid[])))
           order by id""",
        ids=list(record_ids),
    )


async def unjudged(session: Session, most: int) -> list[bytes]:
    """Return keys that have become generic and whose links are still to be judged anew."""
    rows = await session.rows(
        "select key_hash from key_stats where generic and judged_at is null order by key_hash limit :most", most=most
    )
    return [row.key_hash for row in rows]


async def mark_judged(session: Session, hashes: Sequence[bytes]) -> None:
    await session.run(
        "update key_stats set judged_at = now() where key_hash = any(cast(:hashes as bytea[]))", hashes=list(hashes)
    )


async def unmark_generic(session: Session, hashes: Sequence[bytes]) -> None:
    """Let keys that fewer people share than was thought identify again."""
    await session.run(
        "update key_stats set generic = false, judged_at = null where key_hash = any(cast(:hashes as bytea[]))",
        hashes=list(hashes),
    )


async def take_up(session: Session, record_ids: Sequence[UUID], values: Sequence[str]) -> None:
    """Let values of these records weigh again."""
    await session.run(
        """update match_features f set generic = array_remove(f.generic, t.value)
           from unnest(cast(:ids as uuid[]), cast(:values as text[])) as t(id, value) where f.record_id = t.id""",
        ids=list(record_ids),
        values=list(values),
    )
