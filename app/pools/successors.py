"""The statements of a rebuild: who is to be a member is written beside who is, and exchanged at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, literal
from sqlalchemy.dialects.postgresql import insert

from app.kit.repository import Repository
from app.pools.models import PoolSuccessor
from app.pools.repository import Change, between


class SuccessorRepository(Repository[PoolSuccessor]):
    model = PoolSuccessor

    async def judge(self, belonging: CompoundSelect[Any], pool_id: UUID, after: UUID | None, until: UUID) -> None:
        """Write down who of these people is to be a member, unless a look at that person has said so already."""
        belongs = belonging.subquery()
        found = belongs.select().with_only_columns(literal(pool_id), belongs.c.id, belongs.c.by)
        fresh = insert(PoolSuccessor).from_select(
            ["pool_id", "candidate_id", "by"],
            found.where(*between(after, until, belongs.c.id)),
            include_defaults=False,
        )
        await self.session.execute(fresh.on_conflict_do_nothing())

    async def write(self, judged: Sequence[tuple[UUID, UUID, str | None]]) -> None:
        """Write down what looks at single people (pool, candidate, by or None) have found."""
        await self.session.run(
            """insert into pool_successors (pool_id, candidate_id, by)
               select * from unnest(cast(:pools as uuid[]), cast(:people as uuid[]), cast(:by as text[]))
               on conflict (tenant_id, pool_id, candidate_id) do update set by = excluded.by""",
            pools=[pool_id for pool_id, _, _ in judged],
            people=[candidate_id for _, candidate_id, _ in judged],
            by=[by for _, _, by in judged],
        )

    async def exchange(self, pool_id: UUID) -> tuple[int, int]:
        """Make members of who is to be one, and of nobody else; return how many came and how many left."""
        added = await self.session.run(
            """with entered as (
                 insert into pool_members (pool_id, candidate_id, by)
                 select s.pool_id, s.candidate_id, s.by from pool_successors s
                 where s.pool_id = :pool_id and s.by is not null and not exists (
                   select from pool_members m where m.pool_id = s.pool_id and m.candidate_id = s.candidate_id
                     and m.by = s.by)
                 on conflict (tenant_id, pool_id, candidate_id) do update set by = excluded.by
                 returning candidate_id, old.pool_id is null as is_new)
               update pool_successors s set change = 'added' from entered e
               where s.pool_id = :pool_id and s.candidate_id = e.candidate_id and e.is_new""",
            pool_id=pool_id,
        )
        removed = await self.session.run(
            """with gone as (
                 delete from pool_members m where m.pool_id = :pool_id and not exists (
                   select from pool_successors s
                   where s.pool_id = m.pool_id and s.candidate_id = m.candidate_id and s.by is not null)
                 returning m.candidate_id)
               insert into pool_successors (pool_id, candidate_id, change)
               select :pool_id, candidate_id, 'removed' from gone
               on conflict (tenant_id, pool_id, candidate_id) do update set change = excluded.change""",
            pool_id=pool_id,
        )
        return added, removed

    async def take_changes(self, pool_id: UUID, limit: int) -> list[Change]:
        """Take away some of what an exchange has changed, and return it."""
        rows = await self.session.rows(
            """delete from pool_successors where pool_id = :pool_id and candidate_id in (
                 select candidate_id from pool_successors where pool_id = :pool_id and change is not null
                 order by candidate_id limit :limit) returning change, candidate_id""",
            pool_id=pool_id,
            limit=limit,
        )
        return [(row.change, pool_id, row.candidate_id) for row in rows]

    async def clear(self, pool_id: UUID, limit: int) -> int:
        """Take away some of the rest; return how much that was."""
        return await self.session.run(
            """delete from pool_successors where pool_id = :pool_id and candidate_id in (
                 select candidate_id from pool_successors where pool_id = :pool_id limit :limit)""",
            pool_id=pool_id,
            limit=limit,
        )
