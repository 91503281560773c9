"""What follows from timelines, brought up to date for many people at once.

Hardly anybody's verdicts change after the fact, so the statements below find those for whom something is left to do,
and only these are read.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit import outbox
from app.kit.clock import now
from app.kit.columns import TENANT
from app.kit.db import Session
from app.kit.outbox import Wake
from app.touchpoints import events, verdicts
from app.touchpoints.kinds import BY_THE_PERSON, DEEDS, SELECTION
from app.touchpoints.repository import TouchpointRepository
from app.touchpoints.trust import ACTOR_RULE_VERSION, BURST, CLICK_AFTER_DELIVERY

JUDGED_FIELDS: Final = ("actor", "actor_reasons")
LONGEST_TRANSACTION: Final = timedelta(minutes=5)
"""What was received longer ago is in the database or will never be."""

# Of the verdicts only those on clicks depend on others, and transactions that ran side by side did not see each other.
# The question about deliveries is exact, the one about bursts asks a little too much. Within a case it is asked last.
UNSETTLED: Final = """
t.actor_by = 'rule' and (
  t.actor_rule_version <> :judged_by
  or case when t.type = 'email_clicked' and t.message_id is not null and t.created_at > {since} then
    'many_links_at_once' = any(t.actor_reasons)
    or 'click_at_delivery' = any(t.actor_reasons) <> exists (
      select from touchpoints d where d.message_id = t.message_id and d.candidate_id = t.candidate_id
        and d.type = 'email_delivered' and d.occurred_at between t.occurred_at - :soon and t.occurred_at)
    or exists (
      select from touchpoints d where d.message_id = t.message_id and d.candidate_id = t.candidate_id
        and d.type = 'email_clicked' and d.occurred_at between t.occurred_at - :burst and t.occurred_at + :burst
        and d.data->>'url' <> t.data->>'url') end)
"""
"""Say in SQL that the verdict on `t` may not be what the whole set says; `since` is when its person was settled."""

RULES: Final = {"judged_by": ACTOR_RULE_VERSION, "soon": CLICK_AFTER_DELIVERY, "burst": BURST}
"""What that sentence asks for."""

_UNSETTLED: Final = f"""
select distinct t.candidate_id from touchpoints t
where t.candidate_id = any(:ids) and {UNSETTLED.format(since="timestamptz '-infinity'")}
"""  # noqa: S608 (constants)
_DEEDS: Final = f"""
select t.candidate_id,
  max(t.occurred_at) filter (where t.type = any(:contact) and t.actor = 'human' and t.occurred_at <= :at) as contact,
  min(t.occurred_at) filter (where t.occurred_at > :at) as coming,
  bool_or(t.type = any(:selection)) as selects
from touchpoints t
join candidates c on c.tenant_id = {TENANT} and c.id = t.candidate_id
  and c.hidden_at is null and c.erased_at is null and c.merged_into is null
where t.candidate_id = any(:ids) and c.id = any(:ids) and t.type = any(:deeds) group by t.candidate_id
"""  # noqa: S608 (constants)

_NEWER: Final = f"""
select c.id from candidates c where c.tenant_id = {TENANT} and c.id = any(:ids) and exists (
  select from touchpoints t where t.candidate_id = c.id and t.type = any(:contact) and t.actor = 'human'
    and t.occurred_at > coalesce(c.last_interaction_at, '-infinity'))
"""  # noqa: S608 (constants)


async def newly_in_contact(session: Session, ids: Sequence[UUID]) -> list[UUID]:
    """Return those of these people who have a contact of their own behind the last one that is noted, or to come."""
    rows = await session.rows(_NEWER, ids=list(ids), contact=sorted(BY_THE_PERSON))
    return [row.id for row in rows]


async def settle(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Judge again what must be, and note these people's last own contact and how their selections stand.

    Returns when to look again, for those of whom a deed of the future is told.
    """
    await judge_again(session, ids)
    rows = await session.rows(
        _DEEDS,
        ids=list(ids),
        contact=sorted(BY_THE_PERSON),
        selection=sorted(SELECTION),
        deeds=sorted(DEEDS),
        at=now(),
    )
    contacts = {row.candidate_id: row.contact for row in rows if row.contact is not None}
    moved = await candidates.interacted(session, contacts)
    await outbox.schedule(session, *(Wake("member", each) for each in moved))
    if selecting := sorted(row.candidate_id for row in rows if row.selects):
        await TouchpointRepository(session).settle_selections(selecting)
    return {row.candidate_id: row.coming for row in rows if row.coming is not None}


async def judge_again(session: Session, ids: Sequence[UUID]) -> None:
    """Judge these people's touchpoints again where what is stored is not what the whole set says."""
    unsettled = await session.rows(_UNSETTLED, ids=list(ids), **RULES)
    if not unsettled:
        return
    repository = TouchpointRepository(session)
    rows = await repository.of_candidates([row.candidate_id for row in unsettled])
    changes = verdicts.changed([row for row in rows if verdicts.may_change(row)])
    if changes:
        await repository.write_verdicts(changes)
        await outbox.record(session, *(events.updated(row, JUDGED_FIELDS) for row in rows if row.id in changes))
