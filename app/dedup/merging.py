"""What becomes of decisions, pairs and keys when two candidates are found to be one, and when that is undone.

A decision is an edge between two records, so it moves with them by itself: two candidates differ as long as a person
has said so of any record of one side and any of the other, and whatever either of them says later inherits that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.dedup import events
from app.dedup.collapse import Collapse, Row, reopened
from app.kit import json, outbox
from app.kit.clock import now
from app.kit.columns import Target, insert
from app.kit.db import Session
from app.kit.ids import new_id

_OF_PAIRS: Final = "unnest(cast(:lefts as uuid[]), cast(:rights as uuid[])) as asked(l, r)"
_OF_RECORDS: Final = "unnest(cast(:records as uuid[]), cast(:survivors as uuid[])) as m(record, survivor)"
_FILED: Final = ("record_keys", "match_features")
"""What records are found and compared by."""
_LINKS: Final = Target(
    "link_decisions",
    (
        *((name, "uuid") for name in ("id", "a", "b", "merge_id")),
        *((name, "text") for name in ("verdict", "by", "model_version")),
        ("weight", "float8"),
        ("evidence", "jsonb"),
    ),
    "on conflict do nothing",
)


@dataclass(frozen=True, slots=True)
class Edge:
    """Two records that are about one person, and why; a person's word has no figures."""

    left: UUID
    right: UUID
    weight: float | None = None
    evidence: Sequence[Mapping[str, Any]] = ()
    model_version: str | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """One merge, as far as matching keeps it: who, by whose word, the edge that says so, and the loser's records."""

    merge_id: UUID
    survivor_id: UUID
    loser_id: UUID
    by: str
    edge: Edge | None
    came: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Kept:
    """What undoing a merge needs: the pairs that it changed as they were, and the records that it vouched for."""

    pairs: Sequence[Row]
    vouched: Sequence[UUID]

    def dump(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        return {"pairs": list(self.pairs), "vouched": list(self.vouched)}


async def differing(session: Session, pairs: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Return those of these pairs of candidates, the smaller id first, whom a person has called different."""
    asked = sorted({(min(pair), max(pair)) for pair in pairs})
    if not asked:
        return set()
    rows = await session.rows(
        f"""select asked.l, asked.r from {_OF_PAIRS} where exists (
              select from records x cross join lateral (
                select d.b as other from link_decisions d
                where d.a = x.id and d.revoked_at is null and d.verdict = 'different' and d.by = 'person'
                union all
                select d.a from link_decisions d
                where d.b = x.id and d.revoked_at is null and d.verdict = 'different' and d.by = 'person'
              ) as said join records y on y.id = said.other
              where x.candidate_id = asked.l and y.candidate_id = asked.r)""",  # noqa: S608 (constants)
        lefts=[left for left, _ in asked],
        rights=[right for _, right in asked],
    )
    return {(row.l, row.r) for row in rows}


async def differ(session: Session, left: Collection[UUID], right: Collection[UUID]) -> None:
    """Write that a person calls all records of one side and all of the other different; links between them fall."""
    sides = {"left": list(left), "right": list(right)}
    await _revoke(session, "same", **sides)
    await session.run(
        """insert into link_decisions (id, a, b, verdict, by)
           select uuidv7(), least(l, r), greatest(l, r), 'different', 'person'
           from unnest(cast(:left as uuid[])) as l cross join unnest(cast(:right as uuid[])) as r
           on conflict do nothing""",
        **sides,
    )


async def unlink(session: Session, left: Collection[UUID], right: Collection[UUID]) -> None:
    """Revoke every link between records of two sides."""
    await _revoke(session, "same", left=list(left), right=list(right))


async def _revoke(session: Session, verdict: str, **sides: list[UUID]) -> None:
    await session.run(
        """update link_decisions d set revoked_at = clock_timestamp()
           from unnest(cast(:left as uuid[])) as l cross join unnest(cast(:right as uuid[])) as r
           where d.a = least(l, r) and d.b = greatest(l, r) and d.revoked_at is null and d.verdict = :verdict""",
        verdict=verdict,
        **sides,
    )


async def overrule(session: Session, merge_id: UUID, left: Collection[UUID], right: Collection[UUID]) -> None:
    """Revoke what calls records of two sides different, for as long as this merge lasts."""
    await session.run(
        """update link_decisions d set revoked_at = clock_timestamp(), revoked_by = :merge_id
           from unnest(cast(:left as uuid[])) as l cross join unnest(cast(:right as uuid[])) as r
           where d.a = least(l, r) and d.b = greatest(l, r) and d.revoked_at is null and d.verdict = 'different'""",
        merge_id=merge_id,
        left=list(left),
        right=list(right),
    )


async def absorb(session: Session, merges: Sequence[Merged]) -> dict[UUID, Kept]:
    """Let keys and pairs follow the survivors and write the links; return merge → what its undoing needs.

    `merges` come in the order in which they count; nobody who loses survives another.
    """
    await _link(session, [(each, each.edge) for each in merges if each.edge is not None])
    vouched = await _vouch(session, [each.loser_id for each in merges if each.by == "person"])
    moved = [(record, each.survivor_id) for each in merges for record in each.came]
    for table in _FILED:
        await session.run(
            f"update {table} t set candidate_id = m.survivor from {_OF_RECORDS} where t.record_id = m.record",  # noqa: S608 (constants)
            records=[record for record, _ in moved],
            survivors=[survivor for _, survivor in moved],
        )
    pairs = await _collapse(
        session, merges, sorted({id_ for each in merges for id_ in (each.loser_id, each.survivor_id)})
    )
    return {each.merge_id: Kept(pairs[each.merge_id], vouched.get(each.loser_id, [])) for each in merges}


async def _vouch(session: Session, losers: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Note that a person stands for whose records these are; return candidate → those that nobody stood for before."""
    sql = """update match_features set is_vouched = true where candidate_id = any(:losers) and not is_vouched
             returning candidate_id, record_id"""
    found: dict[UUID, list[UUID]] = {}
    for row in await session.rows(sql, losers=list(losers)) if losers else ():
        found.setdefault(row.candidate_id, []).append(row.record_id)
    return found


async def _link(session: Session, linked: Sequence[tuple[Merged, Edge]]) -> None:
    if not linked:
        return
    sql, values = insert(
        _LINKS,
        {
            "id": [new_id() for _ in linked],
            "a": [min(edge.left, edge.right) for _, edge in linked],
            "b": [max(edge.left, edge.right) for _, edge in linked],
            "verdict": ["same"] * len(linked),
            "by": [merged.by for merged, _ in linked],
            "model_version": [edge.model_version for _, edge in linked],
            "weight": [edge.weight for _, edge in linked],
            "evidence": [list(edge.evidence) for _, edge in linked],
            "merge_id": [merged.merge_id for merged, _ in linked],
        },
    )
    await session.run(sql, **values)


async def _collapse(session: Session, merges: Sequence[Merged], ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    collapse = Collapse.of(await _pairs(session, ids))
    actor, moment = session.caller.actor, now()
    before = {}
    for each in merges:
        decided = {"status": "same", "decided_by": actor, "decided_at": moment, "merge_id": each.merge_id}
        before[each.merge_id] = collapse.merge(each.survivor_id, each.loser_id, decided)
    await _drop_pairs(session, collapse.gone)
    await _write_pairs(session, list(collapse.changed.values()))
    decided_ids = [row["id"] for row in collapse.changed.values() if row["merge_id"] in before]
    await outbox.record(session, *map(events.decided, decided_ids))
    return before


async def _pairs(session: Session, ids: Sequence[UUID]) -> list[Row]:
    rows = await session.rows(
        """select * from candidate_pairs where left_id = any(:ids) or right_id = any(:ids) order by id for update""",
        ids=list(ids),
    )
    return [dict(row) for row in rows]


async def _drop_pairs(session: Session, ids: Collection[UUID]) -> None:
    if ids:
        await session.run("delete from candidate_pairs where id = any(:ids)", ids=list(ids))


async def _write_pairs(session: Session, rows: Sequence[Row]) -> None:
    if not rows:
        return
    await session.run(
        """insert into candidate_pairs
           select * from jsonb_populate_recordset(cast(null as candidate_pairs), cast(:rows as jsonb))
           on conflict (tenant_id, id) do update set left_id = excluded.left_id, right_id = excluded.right_id,
             status = excluded.status, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
             note = excluded.note, merge_id = excluded.merge_id""",
        rows=json.dumps(rows),
    )


async def release(
    session: Session,
    merged: tuple[UUID, UUID, UUID],
    kept: Mapping[str, Any],
    records: Sequence[UUID],
    *,
    remember: bool,
) -> None:
    """Undo `absorb` of one merge (its id, survivor, loser): what it `kept`, and what these records are found by.

    The link that it wrote falls, and what it had overruled stands again; with `remember` the pair is `different`.
    """
    merge_id, survivor_id, loser_id = merged
    await session.run(
        "update link_decisions set revoked_at = clock_timestamp() where merge_id = :id and revoked_at is null",
        id=merge_id,
    )
    await session.run(
        """update link_decisions d set revoked_at = null, revoked_by = null where revoked_by = :id
           and not exists (select from link_decisions x where x.a = d.a and x.b = d.b and x.revoked_at is null)""",
        id=merge_id,
    )
    await session.run(
        "update match_features set is_vouched = false where record_id = any(:ids)",
        ids=[UUID(each) for each in kept["vouched"]],
    )
    await follow(session, records)
    current = {row["id"]: row for row in await _pairs(session, [survivor_id, loser_id])}
    rows = reopened([_stored(row) for row in kept["pairs"]], current, (survivor_id, loser_id))
    if remember:
        rows = [_parted(row, {survivor_id, loser_id}, session.caller.actor) for row in rows]
    await _drop_pairs(session, [row["id"] for row in rows])
    await _write_pairs(session, rows)


def _stored(row: Row) -> Row:
    return {**row, **{name: UUID(row[name]) for name in ("id", "left_id", "right_id")}}


def _parted(row: Row, sides: set[UUID], actor: str) -> Row:
    if {row["left_id"], row["right_id"]} != sides:
        return row
    return {**row, "status": "different", "decided_by": actor, "decided_at": now()}


async def follow(session: Session, records: Sequence[UUID]) -> None:
    """Let what these records are found by belong to whom they belong to."""
    for table in _FILED:
        await session.run(
            f"""update {table} t set candidate_id = r.candidate_id from records r
                where r.id = any(:records) and t.record_id = r.id and t.candidate_id <> r.candidate_id""",  # noqa: S608 (constants)
            records=list(records),
        )


async def forget_record(session: Session, record_id: UUID) -> None:
    """Forget what was decided of a record that is about to go."""
    await session.run("delete from link_decisions where a = :id or b = :id", id=record_id)


async def read_pair(session: Session, pair_id: UUID) -> Row | None:
    """Return a pair as it is stored now, locked until the transaction ends."""
    row = await session.row("select * from candidate_pairs where id = :id for update", id=pair_id)
    return dict(row) if row is not None else None


async def decide(session: Session, pair_id: UUID, status: str | None, note: str | None) -> None:
    """Write what a person has said of a pair (its status already, when None) and tell of it."""
    await session.run(
        """update candidate_pairs set status = coalesce(cast(:status as text), status), note = coalesce(:note, note),
             decided_by = :actor, decided_at = :at where id = :id""",
        id=pair_id,
        status=status,
        note=note,
        actor=session.caller.actor,
        at=now(),
    )
    if status is not None:
        await outbox.record(session, events.decided(pair_id))


async def tell_apart(session: Session, one_id: UUID, other_id: UUID) -> None:
    """Write of the pair of two candidates that a person has called them different, and tell of it if that is new."""
    row = await session.row(
        """update candidate_pairs set status = 'different', decided_by = :actor, decided_at = :at
           where left_id = :left and right_id = :right and status <> 'different' returning id""",
        left=min(one_id, other_id),
        right=max(one_id, other_id),
        actor=session.caller.actor,
        at=now(),
    )
    if row is not None:
        await outbox.record(session, events.decided(row.id))
