from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import Select, literal, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.candidates.models import Candidate
from app.criteria import sql
from app.kit import json
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.ids import last_of
from app.kit.repository import Repository, ResourceRepository
from app.pools import criteria_fields
from app.sequences import models
from app.sequences.definition import Definition
from app.sequences.errors import MessageState, SequenceKeyTaken, TemplateKeyTaken
from app.sequences.models import Enrollment, EntryMark, Message, SequenceRevision, Template, TemplateRevision
from app.sequences.standing import Standing


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Any of each; empty means all."""

    sequence_id: Sequence[UUID] = ()
    enrollment_id: Sequence[UUID] = ()
    candidate_id: Sequence[UUID] = ()
    state: Sequence[str] = ()
    step: Sequence[str] = ()


def held(statement: Select[Any]) -> Select[Any]:
    """Lock what is found, and see it as it is now, also what this session has read before."""
    return statement.with_for_update().execution_options(populate_existing=True)


class TemplateRepository(ResourceRepository[Template]):
    model = Template
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_templates_tenant_id_key": TemplateKeyTaken}

    async def many(self, ids: Collection[UUID]) -> dict[UUID, Template]:
        """Return those that exist, by id."""
        return {row.id: row for row in await self.all(self.visible().where(Template.id.in_(ids)))} if ids else {}


class TemplateRevisionRepository(Repository[TemplateRevision]):
    model = TemplateRevision

    async def of(self, wanted: Collection[tuple[UUID, int]]) -> dict[UUID, TemplateRevision]:
        """Return the revisions of these (template, revision) pairs, by template."""
        return {row.template_id: row for row in (await self.pairs(wanted)).values()}

    async def pairs(self, wanted: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], TemplateRevision]:
        """Return the revisions of these (template, revision) pairs."""
        if not wanted:
            return {}
        pairs = tuple_(TemplateRevision.template_id, TemplateRevision.revision).in_(list(wanted))
        return {(row.template_id, row.revision): row for row in await self.all(self.visible().where(pairs))}


class SequenceRepository(ResourceRepository[models.Sequence]):
    model = models.Sequence
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_sequences_tenant_id_key": SequenceKeyTaken}

    def narrowed(self, statuses: Sequence[str]) -> Select[models.Sequence]:
        """Select sequences in any of `statuses`; none means all."""
        return self.visible().where(models.Sequence.status.in_(statuses)) if statuses else self.visible()


class SequenceRevisionRepository(Repository[SequenceRevision]):
    model = SequenceRevision

    async def one(self, sequence_id: UUID, revision: int) -> SequenceRevision | None:
        """Return one revision of a sequence."""
        found = (SequenceRevision.sequence_id == sequence_id) & (SequenceRevision.revision == revision)
        return await self.first(self.visible().where(found))

    async def of(self, wanted: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], SequenceRevision]:
        """Return the revisions of these (sequence, revision) pairs."""
        if not wanted:
            return {}
        pairs = tuple_(SequenceRevision.sequence_id, SequenceRevision.revision).in_(list(wanted))
        return {(row.sequence_id, row.revision): row for row in await self.all(self.visible().where(pairs))}


class EnrollmentRepository(ResourceRepository[Enrollment]):
    model = Enrollment

    async def hold(self, enrollment_id: UUID) -> Enrollment | None:
        """Return an enrollment, locked."""
        return await self.first(held(self.visible().where(Enrollment.id == enrollment_id)))

    def narrowed(self, sequence_id: UUID, states: Sequence[str], candidates: Sequence[UUID]) -> Select[Enrollment]:
        """Select the enrollments of a sequence in any of `states` and of any of `candidates`; none means all."""
        found = self.visible().where(Enrollment.sequence_id == sequence_id)
        if states:
            found = found.where(Enrollment.state.in_(states))
        return found.where(Enrollment.candidate_id.in_(candidates)) if candidates else found

    async def many(self, ids: Collection[UUID], *, lock: bool = False) -> list[Enrollment]:
        """Return those that exist, locked in the order of their ids when `lock`."""
        found = self.visible().where(Enrollment.id.in_(ids)).order_by(Enrollment.id)
        return await self.all(held(found) if lock else found) if ids else []

    async def active_of(self, candidates: Collection[UUID]) -> list[Enrollment]:
        """Return, locked, where these candidates are on their way."""
        found = self.visible().where(Enrollment.candidate_id.in_(candidates), Enrollment.state == "active")
        return await self.all(held(found.order_by(Enrollment.id))) if candidates else []

    async def active_now(self, candidates: Collection[UUID]) -> list[Enrollment]:
        """Return where these candidates are on their way, without a lock."""
        return await self.all(self.narrowed_to(candidates).where(Enrollment.state == "active"))

    async def conditional_of(self, candidates: Collection[UUID]) -> list[Enrollment]:
        """Return, locked, where these candidates wait for a condition."""
        waiting = self.narrowed_to(candidates).where(Enrollment.state == "active", Enrollment.limit_at.is_not(None))
        return await self.all(held(waiting)) if candidates else []

    async def is_any_conditional(self) -> bool:
        """Whether anybody waits for a condition."""
        waiting = "select from enrollments where limit_at is not null and state = 'active'"
        return bool(await self.session.value(f"select exists ({waiting})"))

    async def of_candidates(self, candidates: Collection[UUID]) -> list[Enrollment]:
        """Return, locked in the order of their ids, every enrollment of these candidates."""
        return await self.all(held(self.narrowed_to(candidates)))

    def narrowed_to(self, candidates: Collection[UUID]) -> Select[Enrollment]:
        """Select every enrollment of these candidates, in the order of their ids."""
        return self.visible().where(Enrollment.candidate_id.in_(candidates)).order_by(Enrollment.id)

    async def count_by_person(self, ids: Collection[UUID]) -> list[Any]:
        """Return (candidate_id, enrollments, messages) of those of these candidates who have any."""
        return await self.session.rows(
            """select e.candidate_id, count(*) as enrollments,
                 sum((select count(*) from messages m where m.enrollment_id = e.id)) as messages
               from enrollments e where e.candidate_id = any(:ids) group by e.candidate_id""",
            ids=list(ids),
        )

    async def move(self, moves: Mapping[UUID, UUID]) -> None:
        """Give each survivor its loser's enrollments (loser → survivor)."""
        await self.session.run(
            """update enrollments e set candidate_id = m.survivor, version = e.version + 1, updated_at = now()
               from unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) as m(loser, survivor)
               where e.candidate_id = m.loser""",
            losers=list(moves),
            survivors=list(moves.values()),
        )

    async def latest(self, sequence_id: UUID, candidates: Collection[UUID]) -> dict[UUID, Enrollment]:
        """Return each candidate's newest enrollment in a sequence, an active one before any other."""
        found = self.visible().where(Enrollment.sequence_id == sequence_id, Enrollment.candidate_id.in_(candidates))
        rows = (
            await self.all(found.order_by(Enrollment.state == literal("active"), Enrollment.id)) if candidates else []
        )
        return {row.candidate_id: row for row in rows}

    async def stand(self, ways: Sequence[Enrollment | Standing], moment: datetime) -> None:
        """Write where enrollments stand, all that were read by hand in one statement."""
        rows = [each.row for each in ways if isinstance(each, Standing)]
        if len(rows) < len(ways):
            await self.session.flush()
        if rows:
            await self.session.run(_STAND, rows=json.dumps(rows), ids=[row["id"] for row in rows], moment=moment)

    async def enter(self, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
        """Write active enrollments; return the ids of those whose candidate was not in the sequence already."""
        written = await self.session.rows(
            """insert into enrollments
                 (id, sequence_id, sequence_revision, candidate_id, arrived_with, occurrence, entered_by, started_at)
               select id, sequence_id, sequence_revision, candidate_id, candidate_id, occurrence, entered_by, started_at
               from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, sequence_id uuid, sequence_revision bigint,
                 candidate_id uuid, occurrence bigint, entered_by text, started_at timestamptz)
               order by candidate_id
               on conflict (tenant_id, sequence_id, candidate_id) where state = 'active' do nothing
               returning id""",
            rows=json.dumps(rows),
        )
        return [row.id for row in written]


_STAND: Final = """
update enrollments e set state = s.state, step = s.step, next_at = s.next_at, limit_at = s.limit_at,
  exit = nullif(s.exit, 'null'), finished_at = s.finished_at, version = s.version, updated_at = :moment
from jsonb_to_recordset(cast(:rows as jsonb)) as s(id uuid, state text, step text, next_at timestamptz,
  limit_at timestamptz, exit jsonb, finished_at timestamptz, version bigint)
where e.id = any(:ids) and e.id = s.id
"""


class MessageRepository(ResourceRepository[Message]):
    model = Message
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_messages_unsent": MessageState}

    async def hold(self, message_id: UUID) -> Message | None:
        """Return a message, locked."""
        return await self.first(held(self.visible().where(Message.id == message_id)))

    def narrowed(self, by: MessageFilter) -> Select[Message]:
        """Select the messages that `by` lets through."""
        columns = {
            Message.sequence_id: by.sequence_id,
            Message.enrollment_id: by.enrollment_id,
            Message.candidate_id: by.candidate_id,
            Message.state: by.state,
            Message.step: by.step,
        }
        return self.visible().where(*(column.in_(values) for column, values in columns.items() if values))

    async def unsent_of(self, enrollments: Collection[UUID]) -> dict[UUID, Message]:
        """Return the messages that these enrollments are waiting for, by enrollment."""
        waiting = Message.state.in_(["scheduled", "claimed", "transmitting", "retry"])
        found = self.visible().where(Message.enrollment_id.in_(enrollments), waiting)
        return {row.enrollment_id: row for row in await self.all(found.order_by(Message.id))} if enrollments else {}

    async def move(self, enrollments: Collection[UUID], candidate_id: UUID) -> int:
        """Give the messages of these enrollments to a candidate; return how many there were."""
        return await self.session.run(
            """update messages set candidate_id = :candidate_id, version = version + 1, updated_at = now()
               where enrollment_id = any(:enrollments)""",
            candidate_id=candidate_id,
            enrollments=list(enrollments),
        )

    async def move_merged(self, moves: Mapping[UUID, UUID]) -> None:
        """Give each survivor its loser's messages (loser → survivor).

        One that waits beside another of the same step is cancelled first: it could only be refused.
        """
        people = {"losers": list(moves), "survivors": list(moves.values())}
        await self.session.run(_CANCEL_TWINS, **people)
        await self.session.run(
            """update messages t set candidate_id = m.survivor, version = t.version + 1, updated_at = now()
               from unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) as m(loser, survivor)
               where t.candidate_id = m.loser""",
            **people,
        )

    async def headers(self, enrollments: Collection[UUID]) -> list[str]:
        """Return the Message-IDs of these enrollments' mails, without their angle brackets."""
        rows = await self.session.rows(
            """select trim(both '<>' from message_id_header) as header from messages
               where enrollment_id = any(:enrollments) and message_id_header is not null""",
            enrollments=list(enrollments),
        )
        return [row.header for row in rows]

    async def settled_at(self, enrollments: Collection[UUID]) -> list[Any]:
        """Return (enrollment_id, step, sent_at) where the mail that an enrollment stands at has come to its end."""
        return await self.session.rows(
            """select m.enrollment_id, m.step, m.sent_at from messages m
               join enrollments e on e.id = m.enrollment_id and e.step = m.step
               where e.id = any(:enrollments) and m.state in ('sent', 'failed', 'dead')""",
            enrollments=list(enrollments),
        )

    async def forget(self, candidate_id: UUID) -> int:
        """Clear what could identify a person from their messages; return how many there were."""
        return await self.session.run(
            """update messages set "to" = null, message_id_header = null, smtp = null, version = version + 1,
                 updated_at = now() where candidate_id = :candidate_id""",
            candidate_id=candidate_id,
        )

    async def schedule(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write due steps; one that the same person already has, waiting or sent, in the same sequence is left out."""
        await self.session.run(
            """insert into messages (id, enrollment_id, sequence_id, sequence_revision, step, occurrence,
                 candidate_id, purpose, template_id, template_revision, variant, content_id, content_reason, due_at,
                 scheduled_at)
               select id, enrollment_id, sequence_id, sequence_revision, step, occurrence, candidate_id, purpose,
                 template_id, template_revision, variant, content_id, nullif(content_reason, 'null'), due_at, due_at
               from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, enrollment_id uuid, sequence_id uuid,
                 sequence_revision bigint, step text, occurrence bigint, candidate_id uuid, purpose text,
                 template_id uuid, template_revision bigint, variant text, content_id uuid, content_reason jsonb,
                 due_at timestamptz)
               on conflict do nothing""",
            rows=json.dumps(rows),
        )


_CANCEL_TWINS: Final = """
with side as (
  select loser as id, survivor, place
  from unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) with ordinality as m(loser, survivor, place)
  union select s, s, 0 from unnest(cast(:survivors as uuid[])) as s
), ranked as (
  select m.id, row_number() over (
    partition by side.survivor, m.sequence_id, m.step, m.occurrence order by e.state <> 'active', side.place) as rank
  from messages m join side on side.id = m.candidate_id join enrollments e on e.id = m.enrollment_id
  where m.state in ('scheduled', 'claimed', 'retry')
)
update messages m set state = 'cancelled', worker = null, lease_until = null, version = m.version + 1,
  updated_at = now(), reasons = jsonb_build_array(jsonb_build_object(
    'code', 'merged', 'detail', 'The same person is about to get this step.'))
from ranked where ranked.id = m.id and ranked.rank > 1
"""


class EntryRepository(Repository[EntryMark]):
    model = EntryMark

    async def live(self) -> list[tuple[models.Sequence, Definition]]:
        """Return the active sequences with what is live of them."""
        sequences = await self.session.scalars(SequenceRepository(self.session).narrowed(["active"]))
        by_id = {each.id: each for each in sequences.all()}
        pairs = [(each.id, each.revision) for each in by_id.values() if each.revision is not None]
        found = await SequenceRevisionRepository(self.session).of(pairs)
        return [(by_id[of], Definition.model_validate(row.definition)) for (of, _), row in sorted(found.items())]

    async def mark_all(self, sequence_id: UUID, entry: str, tree: Mapping[str, Any]) -> None:
        """Mark everybody who meets a search tree now."""
        asked = sql.compiled(criteria_fields.read(tree, ""), criteria_fields.ADAPTERS, now())
        met = (
            PersonRepository(self.session)
            .visible()
            .where(asked)
            .with_only_columns(literal(sequence_id), literal(entry), Candidate.id)
        )
        into = insert(EntryMark).from_select(["sequence_id", "entry", "candidate_id"], met, include_defaults=False)
        await self.session.execute(into.on_conflict_do_nothing())


class PersonRepository(Repository[Candidate]):
    model = Candidate

    async def meeting(self, ids: Collection[UUID], tree: Mapping[str, Any]) -> set[UUID]:
        """Return those of these candidates that meet a search tree now."""
        asked = sql.compiled(criteria_fields.read(tree, ""), criteria_fields.ADAPTERS, now())
        found = self.visible().where(Candidate.id.in_(ids), asked).with_only_columns(Candidate.id)
        return set((await self.session.scalars(found)).all()) if ids else set()


SIGNS = """
select m.id, m.enrollment_id, t.type, t.occurred_at, t.actor, t.data->'bounce'->>'kind' as bounce
from unnest(cast(:firsts as uuid[]), cast(:lasts as uuid[])) as block(first, last)
cross join lateral (
  select * from touchpoints s
  where s.id between block.first and block.last and s.message_id is not null and s.type = any(:types)
) as t
join messages m on m.message_id_header = '<' || t.message_id || '>'
order by m.enrollment_id, m.id, t.occurred_at
"""


async def signs(session: Session, blocks: Sequence[UUID], types: Sequence[str]) -> list[Any]:
    """Return what touchpoints of these types and blocks say of our messages, by the Message-ID that both carry."""
    return await session.rows(SIGNS, firsts=list(blocks), lasts=[last_of(block) for block in blocks], types=list(types))


async def topics(session: Session, headers: Sequence[str]) -> list[Any]:
    """Return (message_id_header, topics) of our mails with these Message-IDs whose content has topics."""
    return await session.rows(
        """select m.message_id_header, c.topics from messages m join contents c on c.id = m.content_id
           where m.message_id_header = any(:headers) and c.topics <> '{}'""",
        headers=list(headers),
    )


async def sender_tenants(connection: AsyncConnection) -> list[UUID]:
    """Return tenants that have messages to send, or messages that somebody holds."""
    return list((await connection.execute(text("select sender_tenants(100)"))).scalars().all())
