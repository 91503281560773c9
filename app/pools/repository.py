"""The statements of pools; membership is written for any number of people in one round trip."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from app.candidates.facts import LIVE, columns
from app.candidates.models import Candidate
from app.contents.models import Content
from app.criteria import sql
from app.criteria.tree import Node
from app.kit import json
from app.kit.clock import now
from app.kit.columns import TENANT
from app.kit.errors import AppError
from app.kit.repository import Repository, ResourceRepository
from app.pools.criteria_fields import ADAPTERS
from app.pools.errors import PoolKeyTaken
from app.pools.models import Pool, PoolMember, PoolOverride

Change = tuple[str, UUID, UUID]
"""`added` or `removed`, pool, candidate."""
CONTENTS_MAX: Final = 500
_STILL: Final = """exists (
  select from pools p where p.id = :pool_id and p.version = :version and p.archived_at is null)"""


class PoolRepository(ResourceRepository[Pool]):
    model = Pool
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_pools_key": PoolKeyTaken}

    def visible(self) -> Select[Pool]:
        return super().visible().where(Pool.archived_at.is_(None))

    async def read(self, pool_id: UUID) -> Pool | None:
        """Return a pool for reading: a copy, that nobody's change is written from."""
        row = await self.session.row("select * from pools where id = :id and archived_at is null", id=pool_id)
        return None if row is None else Pool(**row)

    async def asked(self, pool_id: UUID) -> Any:  # noqa: ANN401 (a row, or None)
        """Return (version, criteria, required_fields) of a pool."""
        return await self.session.row(
            "select version, criteria, required_fields from pools where id = :id and archived_at is null", id=pool_id
        )

    def called(self, keys: Sequence[str] | None) -> Select[Pool]:
        """Select the pools with these keys; None is all."""
        return self.visible() if keys is None else self.visible().where(Pool.key.in_(keys))

    async def live(self) -> list[Pool]:
        return await self.all(self.visible().order_by(Pool.id))

    async def shared(self) -> list[Pool]:
        """Return every pool, held so that none is rebuilt before this transaction ends."""
        return await self.all(self.visible().order_by(Pool.id).with_for_update(read=True))

    async def lock_names(self) -> None:
        """Let nobody else of this tenant name pools in criteria until the transaction ends: two could make a cycle."""
        await self.session.run(
            "select pg_advisory_xact_lock(hashtextextended('pools.names' || cast(:tenant as text), 0))",
            tenant=str(self.session.tenant_id),
        )

    async def held(self, pool_id: UUID, *, shared: bool = False) -> Pool | None:
        """Return a pool, archived too, held so that nobody else changes its members, or `shared` its criteria."""
        statement = super().visible().where(Pool.id == pool_id)
        return await self.first(statement.with_for_update(read=shared, key_share=not shared))


class OverrideRepository(Repository[PoolOverride]):
    model = PoolOverride

    async def of_people(self, ids: Collection[UUID]) -> list[PoolOverride]:
        return await self.all(self.visible().where(PoolOverride.candidate_id.in_(ids)))

    async def write(self, pool_id: UUID, candidate_id: UUID, membership: str, note: str | None) -> PoolOverride:
        given = {
            "membership": membership,
            "note": note,
            "by": self.session.caller.actor,
            "arrived_with": candidate_id,
            "created_at": now(),
        }
        statement = (
            insert(PoolOverride)
            .values(pool_id=pool_id, candidate_id=candidate_id, **given)
            .on_conflict_do_update(index_elements=["tenant_id", "pool_id", "candidate_id"], set_=given)
            .returning(PoolOverride)
        )
        return (await self.session.scalars(statement, execution_options={"populate_existing": True})).one()

    async def remove(self, pool_id: UUID, candidate_id: UUID | None = None) -> int:
        """Take back what was decided by hand about one person, or about all; return how many decisions that were."""
        statement = delete(PoolOverride).where(PoolOverride.pool_id == pool_id)
        if candidate_id is not None:
            statement = statement.where(PoolOverride.candidate_id == candidate_id)
        return len((await self.session.scalars(statement.returning(PoolOverride.candidate_id))).all())

    async def rows_of(self, ids: Sequence[UUID]) -> list[dict[str, Any]]:
        """Return what was decided about these people, as it is stored."""
        rows = await self.session.rows("select * from pool_overrides where candidate_id = any(:ids)", ids=ids)
        return [dict(row) for row in rows]

    async def give_way(self, losers: Sequence[UUID], survivors: Sequence[UUID]) -> None:
        """Take away what was decided about losers where there is a decision about the survivor, or an earlier loser."""
        await self.session.run(
            """with side as (
                 select loser as id, survivor, place
                 from unnest(cast(:losers as uuid[]), cast(:survivors as uuid[]))
                   with ordinality as m(loser, survivor, place)
                 union select s, s, 0 from unnest(cast(:survivors as uuid[])) as s
               ), ranked as (
                 select o.pool_id, o.candidate_id,
                   row_number() over (partition by o.pool_id, side.survivor order by side.place) as rank
                 from pool_overrides o join side on side.id = o.candidate_id
               )
               delete from pool_overrides o using ranked r
               where r.rank > 1 and o.pool_id = r.pool_id and o.candidate_id = r.candidate_id""",
            losers=losers,
            survivors=survivors,
        )

    async def move(self, losers: Sequence[UUID], survivors: Sequence[UUID]) -> None:
        """Give each survivor its loser's decisions."""
        await self.session.run(
            """update pool_overrides o set candidate_id = m.survivor
               from unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) as m(loser, survivor)
               where o.candidate_id = m.loser""",
            losers=losers,
            survivors=survivors,
        )

    async def put_back(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write decisions as they were once."""
        await self.session.run(
            """insert into pool_overrides
               select * from jsonb_populate_recordset(cast(null as pool_overrides), cast(:rows as jsonb))
               on conflict do nothing""",
            rows=json.dumps(list(rows)),
        )

    async def take_back(self, survivor_id: UUID, members: Collection[UUID]) -> None:
        """Forget what a survivor has by what was decided about one of `members`."""
        await self.session.run(
            "delete from pool_overrides where candidate_id = :survivor_id and arrived_with = any(:members)",
            survivor_id=survivor_id,
            members=list(members),
        )

    async def decided_since(self, candidate_id: UUID, since: datetime) -> list[UUID]:
        """Return the pools for which something was decided about a person after that moment."""
        recent = (PoolOverride.candidate_id == candidate_id, PoolOverride.created_at > since)
        return [each.pool_id for each in await self.all(self.visible().where(*recent))]

    async def forget(self, candidate_id: UUID) -> int:
        return await self.session.run("delete from pool_overrides where candidate_id = :id", id=candidate_id)


class MemberRepository(Repository[PoolMember]):
    model = PoolMember

    def of_pool(self, pool_id: UUID) -> Select[PoolMember]:
        return self.visible().where(PoolMember.pool_id == pool_id)

    async def page(
        self, pool_id: UUID, after: UUID | None, limit: int, names: Collection[str] = (), version: int | None = None
    ) -> list[Any]:
        """Return (candidate_id, by, since) of members, the newest person first, and their facts with these names.

        With `version`, nobody where the pool has another one by now, or is archived.
        """
        beyond = "" if after is None else "and m.candidate_id < :after"
        still = "" if version is None else f"and {_STILL}"
        return await self.session.rows(
            f"""select m.candidate_id, m.by, m.since, {columns(names)} from pool_members m
                left join candidates c on c.id = m.candidate_id and {LIVE}
                where m.pool_id = :pool_id {beyond} {still} order by m.candidate_id desc limit :limit""",  # noqa: S608 (constants)
            pool_id=pool_id,
            limit=limit,
            **({} if after is None else {"after": after}),
            **({} if version is None else {"version": version}),
        )

    async def holds(self, pool_id: UUID, candidate_id: UUID) -> bool:
        pair = (PoolMember.pool_id == pool_id, PoolMember.candidate_id == candidate_id)
        return await self.first(self.visible().where(*pair)) is not None

    async def forget(self, candidate_id: UUID) -> int:
        await self.session.run("delete from pool_successors where candidate_id = :id", id=candidate_id)
        return await self.session.run("delete from pool_members where candidate_id = :id", id=candidate_id)

    async def of_people(self, ids: Collection[UUID]) -> list[PoolMember]:
        return await self.all(self.visible().where(PoolMember.candidate_id.in_(ids)))

    async def names_of(self, ids: Collection[UUID]) -> dict[UUID, list[str]]:
        """Return of each person the ids and the keys of the pools that they are in."""
        columns = (PoolMember.candidate_id, PoolMember.pool_id, Pool.key)
        is_live = and_(Pool.id == PoolMember.pool_id, Pool.archived_at.is_(None))
        statement = self.visible().join(Pool, is_live).with_only_columns(*columns)
        found: dict[UUID, list[str]] = {}
        for row in (await self.session.execute(statement.where(PoolMember.candidate_id.in_(ids)))).all():
            found.setdefault(row.candidate_id, []).extend((str(row.pool_id), row.key))
        return found

    async def enter(self, members: Sequence[tuple[UUID, UUID, str]]) -> list[Change]:
        """Make these (pool, candidate, by) members; return those that were not."""
        rows = await self.session.rows(
            """insert into pool_members as m (pool_id, candidate_id, by)
               select * from unnest(cast(:pools as uuid[]), cast(:people as uuid[]), cast(:by as text[]))
               on conflict (tenant_id, pool_id, candidate_id) do update set by = excluded.by
               returning m.pool_id, m.candidate_id, old.pool_id is null as is_new""",
            pools=[pool_id for pool_id, _, _ in members],
            people=[candidate_id for _, candidate_id, _ in members],
            by=[by for _, _, by in members],
        )
        return [("added", row.pool_id, row.candidate_id) for row in rows if row.is_new]

    async def leave(self, members: Iterable[tuple[UUID, UUID]]) -> list[Change]:
        """Make these (pool, candidate) members no more; return those that were."""
        pairs = list(members)
        rows = await self.session.rows(
            """delete from pool_members m
               using unnest(cast(:pools as uuid[]), cast(:people as uuid[])) as t(pool, person)
               where m.pool_id = t.pool and m.candidate_id = t.person returning m.pool_id, m.candidate_id""",
            pools=[pool_id for pool_id, _ in pairs],
            people=[candidate_id for _, candidate_id in pairs],
        )
        return [("removed", row.pool_id, row.candidate_id) for row in rows]

    async def rewrite(self, pool: Pool, criteria: Node, at: datetime) -> list[Change]:
        """Make the members of a pool those who belong, in one statement; return who came and who left."""
        belongs = PersonRepository(self.session).belonging(pool, criteria, at).cte("belongs")
        same = exists().where(
            PoolMember.pool_id == pool.id, PoolMember.candidate_id == belongs.c.id, PoolMember.by == belongs.c.by
        )
        columns = (literal(pool.id), belongs.c.id, belongs.c.by)
        fresh = insert(PoolMember).from_select(
            ["pool_id", "candidate_id", "by"],
            belongs.select().with_only_columns(*columns).where(~same),
            include_defaults=False,
        )
        added = (
            fresh.on_conflict_do_update(
                index_elements=["tenant_id", "pool_id", "candidate_id"], set_={"by": fresh.excluded.by}
            )
            .returning(PoolMember.candidate_id, literal_column("old.pool_id is null", Boolean).label("moved"))
            .cte("added")
        )
        removed = (
            delete(PoolMember)
            .where(PoolMember.pool_id == pool.id, ~exists().where(belongs.c.id == PoolMember.candidate_id))
            .returning(PoolMember.candidate_id, literal_column("true", Boolean).label("moved"))
            .cte("removed")
        )
        rows = await self.session.execute(
            union_all(
                added.select().add_columns(literal("added").label("change")),
                removed.select().add_columns(literal("removed").label("change")),
            )
        )
        return [(row.change, pool.id, row.candidate_id) for row in rows.all() if row.moved]


class PersonRepository(Repository[Candidate]):
    model = Candidate

    def live(self) -> Select[Any]:
        standing = (Candidate.hidden_at.is_(None), Candidate.erased_at.is_(None), Candidate.merged_into.is_(None))
        return self.visible().with_only_columns(Candidate.id).where(*standing)

    def belonging(self, pool: Pool, criteria: Node, at: datetime) -> CompoundSelect[Any]:
        """Say who belongs to a pool and by what; nobody, when it is archived."""
        decided = and_(PoolOverride.pool_id == pool.id, PoolOverride.candidate_id == Candidate.id)
        is_open = literal(pool.archived_at is None)
        included = exists().where(decided, PoolOverride.membership == "include")
        by_hand = self.live().add_columns(literal("hand").label("by")).where(is_open, included)
        meets = sql.compiled(criteria, ADAPTERS, at)
        by_criteria = self.live().add_columns(literal("criteria").label("by"))
        return union_all(by_hand, by_criteria.where(is_open, meets, ~exists().where(decided)))

    async def meeting(
        self, criteria: Node, at: datetime, after: UUID | None, limit: int, until: UUID | None = None
    ) -> list[UUID]:
        """Return who meets the criteria, in order of id."""
        statement = self.live().where(sql.compiled(criteria, ADAPTERS, at), *between(after, until))
        return list((await self.session.scalars(statement.order_by(Candidate.id).limit(limit))).all())

    async def stretch(self, after: UUID | None, limit: int) -> tuple[UUID | None, int]:
        """Return up to whom the next people reach, in order of id, and how many they are."""
        some = self.live().where(*between(after, None)).order_by(Candidate.id).limit(limit)
        found = (await self.session.scalars(some)).all()
        return (found[-1] if found else None), len(found)

    async def are_more_than(self, number: int) -> bool:
        """Whether there are more people than that."""
        return await self._counted(self.live().limit(number + 1)) > number

    async def how_many_live(self) -> int:
        return await self._counted(self.live())

    async def count_members(self, pool_id: UUID, criteria: Node, at: datetime) -> int:
        """Count the members of a pool who meet the criteria."""
        return await self._count(self._inside(pool_id), sql.compiled(criteria, ADAPTERS, at))

    async def count_others(self, pool_id: UUID, criteria: Node, at: datetime) -> int:
        """Count who meets the criteria and is not a member of the pool."""
        return await self._count(~self._inside(pool_id), sql.compiled(criteria, ADAPTERS, at))

    async def count_empty(self, pool_id: UUID, name: str) -> int:
        """Count the members of a pool whose profile has nothing, or an empty object or list, under this name."""
        column = func.to_jsonb(getattr(Candidate, name))
        some = func.coalesce(cast(column, Text), "null").not_in(["null", "[]", "{}"])
        return await self._count(self._inside(pool_id), ~some)

    async def _count(self, *conditions: ColumnElement[bool]) -> int:
        return await self._counted(self.live().where(*conditions))

    async def _counted(self, found: Select[Any]) -> int:
        counted = found.subquery().select().with_only_columns(func.count(), maintain_column_froms=True)
        return int(await self.session.scalar(counted) or 0)

    def _inside(self, pool_id: UUID) -> ColumnElement[bool]:
        return exists().where(PoolMember.pool_id == pool_id, PoolMember.candidate_id == Candidate.id)

    async def stale(self, pool_id: UUID, names: Sequence[str], before: datetime) -> Counter[str]:
        """Count, field by field, the members whose value was last stated before that moment."""
        rows = await self.session.rows(
            """select name, count(*) as people from pool_members m join candidates c on c.id = m.candidate_id,
                 unnest(cast(:names as text[])) as name
               where m.pool_id = :pool_id and exists (
                 select from records r where r.candidate_id = c.id and r.received_at < :before
                   and cast(r.id as text) = c.provenance ->> split_part(name, '.', 1))
               group by name""",
            pool_id=pool_id,
            names=list(names),
            before=before,
        )
        return Counter({row.name: row.people for row in rows})

    async def interests(self, ids: Collection[UUID]) -> dict[UUID, list[str]]:
        sql = f"select id, interests from candidates where tenant_id = {TENANT} and id = any(:ids)"  # noqa: S608 (constants)
        rows = await self.session.rows(sql, ids=list(ids))
        return {row.id: row.interests for row in rows}

    async def versions(self, ids: Collection[UUID]) -> dict[UUID, int]:
        statement = self.visible().with_only_columns(Candidate.id, Candidate.version).where(Candidate.id.in_(ids))
        return {row.id: row.version for row in (await self.session.execute(statement)).all()}


def between(after: UUID | None, until: UUID | None, id_: Any = Candidate.id) -> list[ColumnElement[bool]]:  # noqa: ANN401 (a column of ids)
    """Say that an id is behind one and not behind another."""
    return [*([] if after is None else [id_ > after]), *([] if until is None else [id_ <= until])]


class ContentRepository(Repository[Content]):
    model = Content

    async def current(self, at: datetime) -> list[Content]:
        """Return what may be sent at that time, the newest first."""
        is_current = or_(Content.expires_at.is_(None), Content.expires_at > at)
        statement = self.visible().where(Content.status == "active", is_current)
        return await self.all(statement.order_by(Content.id.desc()).limit(CONTENTS_MAX))
