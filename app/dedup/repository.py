from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from app.dedup.models import CandidatePair, DedupPolicy
from app.kit import json
from app.kit.db import Session
from app.kit.paging import Paging
from app.kit.repository import Repository, ResourceRepository

KEY_CAP: Final = 50
"""So many holders of one key are looked at; a key that more people share says little."""

LIVE: Final = "c.hidden_at is null and c.erased_at is null and c.merged_into is null"


class PolicyRepository(Repository[DedupPolicy]):
    model = DedupPolicy

    async def get(self, *, lock: bool = False) -> DedupPolicy | None:
        return await self.first(self.visible().with_for_update() if lock else self.visible())


class PairRepository(ResourceRepository[CandidatePair]):
    model = CandidatePair

    async def page(
        self, status: str | None, paging: Paging, *bound_to: str | None
    ) -> tuple[list[CandidatePair], int | None]:
        found = self.visible().where(CandidatePair.status == status) if status else self.visible()
        return await self.newest(found, paging, *bound_to)


async def lock(session: Session, tenant: int, buckets: Sequence[int]) -> None:
    """Hold these buckets until the transaction ends; taken in order, so that no two calls wait for each other."""
    await session.run(
        "select pg_advisory_xact_lock(:tenant, bucket) from unnest(cast(:buckets as int[])) as t(bucket)",
        tenant=tenant,
        buckets=list(buckets),
    )


async def holders(session: Session, hashes: Sequence[bytes]) -> list[Any]:
    """Return (key_hash, candidate_id) of live candidates, at most `KEY_CAP` for a key, the oldest first."""
    return await session.rows(
        f"""select key_hash, candidate_id from (
              select k.key_hash, k.candidate_id,
                dense_rank() over (partition by k.key_hash order by k.candidate_id) as place
              from record_keys k join candidates c on c.tenant_id = k.tenant_id and c.id = k.candidate_id
              where k.key_hash = any(cast(:hashes as bytea[])) and {LIVE}
            ) as found where place <= :cap group by key_hash, candidate_id order by candidate_id""",  # noqa: S608 (constants)
        hashes=list(hashes),
        cap=KEY_CAP,
    )


async def generic(session: Session, hashes: Sequence[bytes]) -> list[bytes]:
    """Return which of these keys too many people share."""
    rows = await session.rows(
        "select key_hash from key_stats where generic and key_hash = any(cast(:hashes as bytea[]))", hashes=list(hashes)
    )
    return [row.key_hash for row in rows]


async def file_keys(session: Session, keys: Sequence[Mapping[str, Any]]) -> None:
    await session.run(
        """insert into record_keys (key_hash, record_id, candidate_id, kind)
           select decode(h, 'hex'), r, c, k
           from unnest(cast(:hashes as text[]), cast(:records as uuid[]), cast(:candidates as uuid[]),
             cast(:kinds as text[])) as t(h, r, c, k)
           on conflict do nothing""",
        hashes=[key["hash"] for key in keys],
        records=[key["record_id"] for key in keys],
        candidates=[key["candidate_id"] for key in keys],
        kinds=[key["kind"] for key in keys],
    )


async def mark_generic(session: Session, hashes: Collection[bytes], n: int) -> None:
    await session.run(
        """insert into key_stats (key_hash, n, generic)
           select h, :n, true from unnest(cast(:hashes as bytea[])) as t(h) order by h
           on conflict (tenant_id, key_hash) do update set generic = true, n = greatest(key_stats.n, excluded.n)""",
        hashes=list(hashes),
        n=n,
    )


async def decide(session: Session, decisions: Sequence[Mapping[str, Any]]) -> None:
    await session.run(
        """insert into link_decisions (id, a, b, verdict, by, weight, evidence)
           select id, a, b, verdict, by, weight, evidence from jsonb_to_recordset(cast(:rows as jsonb))
             as t(id uuid, a uuid, b uuid, verdict text, by text, weight float8, evidence jsonb)
           on conflict do nothing""",
        rows=json.dumps(decisions),
    )


async def open_pairs(session: Session, pairs: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Write pairs that are not there yet; return all of them as they are stored, with whether each is new."""
    return await session.rows(
        """insert into candidate_pairs (id, left_id, right_id, reason, probability, weight, evidence)
           select id, left_id, right_id, reason, probability, weight, evidence
           from jsonb_to_recordset(cast(:rows as jsonb)) as t(id uuid, left_id uuid, right_id uuid, reason text,
             probability float8, weight float8, evidence jsonb)
           order by left_id, right_id
           on conflict (tenant_id, left_id, right_id) do update set status = candidate_pairs.status
           returning id, left_id, right_id, status, (xmax = 0) as is_new""",
        rows=json.dumps(pairs),
    )
