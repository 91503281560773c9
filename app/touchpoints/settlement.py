"""What follows from timelines, brought up to date for many people at once.

Hardly anybody's verdicts change after the fact, so the statements below find those for whom something is left to do,
and only these are read.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit import outbox
from app.kit.clock import now
from app.kit.db import Session
from app.touchpoints import events, verdicts
from app.touchpoints.kinds import BY_THE_PERSON, SELECTION
from app.touchpoints.repository import TouchpointRepository
from app.touchpoints.trust import ACTOR_RULE_VERSION, BURST_LINKS, CLICK_AFTER_DELIVERY

JUDGED_FIELDS: Final = ("actor", "actor_reasons")

# Of the verdicts only those on clicks depend on others, and transactions that ran side by side did not see each other.
# The first question is exact, the second one asks a little too much.
_UNSETTLED: Final = """
select t.candidate_id from touchpoints t
where t.candidate_id = any(:ids) and t.actor_by = 'rule' and t.actor_rule_version <> :version
union
select t.candidate_id from touchpoints t
cross join lateral (
  select
    coalesce(bool_or(d.type = 'email_delivered'
      and d.occurred_at between t.occurred_at - :soon and t.occurred_at), false) as at_delivery,
    count(distinct d.data->>'url') filter (where d.type = 'email_clicked') as links
  from touchpoints d where d.message_id = t.message_id and d.candidate_id = t.candidate_id
) as told
where t.candidate_id = any(:ids) and t.type = 'email_clicked' and t.message_id is not null and t.actor_by = 'rule'
  and (told.at_delivery <> ('click_at_delivery' = any(t.actor_reasons))
    or told.links >= :links or 'many_links_at_once' = any(t.actor_reasons))
"""
_DEEDS: Final = """
select candidate_id,
  max(occurred_at) filter (where type = any(:contact) and actor = 'human' and occurred_at <= :at) as contact,
  bool_or(type = any(:selection)) as selects
from touchpoints where candidate_id = any(:ids) and type = any(:deeds) group by candidate_id
"""


async def settle(session: Session, ids: Sequence[UUID]) -> None:
    """Judge again what must be, and note these people's last own contact and how their selections stand."""
    await _judge_again(session, ids)
    rows = await session.rows(
        _DEEDS,
        ids=list(ids),
        contact=sorted(BY_THE_PERSON),
        selection=sorted(SELECTION),
        deeds=sorted(BY_THE_PERSON | SELECTION),
        at=now(),
    )
    await candidates.interacted(session, {row.candidate_id: row.contact for row in rows if row.contact is not None})
    if selecting := sorted(row.candidate_id for row in rows if row.selects):
        await TouchpointRepository(session).settle_selections(selecting)


async def _judge_again(session: Session, ids: Sequence[UUID]) -> None:
    unsettled = await session.rows(
        _UNSETTLED, ids=list(ids), version=ACTOR_RULE_VERSION, soon=CLICK_AFTER_DELIVERY, links=BURST_LINKS
    )
    if not unsettled:
        return
    repository = TouchpointRepository(session)
    rows = await repository.of_candidates([row.candidate_id for row in unsettled])
    changes = verdicts.changed([row for row in rows if verdicts.may_change(row)])
    if changes:
        await repository.write_verdicts(changes)
        await outbox.record(session, *(events.updated(row, JUDGED_FIELDS) for row in rows if row.id in changes))
