"""What speaks for and against two candidates being one: any two, also those that nothing ever brought together."""

from collections.abc import Sequence
from uuid import UUID

from app.candidates import service as candidates
from app.candidates.errors import CandidateNotFound
from app.dedup import merging, repository, service
from app.dedup.errors import SamePerson
from app.dedup.matching import Opened, evidence
from app.dedup.rules import Judgement, judge
from app.dedup.schemas import EvidenceRead, ExplainBody, Explanation
from app.dedup.sides import Side, read_side
from app.kit.db import Session
from app.kit.errors import FieldError


async def explain(session: Session, body: ExplainBody) -> Explanation:
    """Judge the best pair of records of two candidates; an id and its own alias are taken as before the merge.

    Raises CandidateNotFound, SamePerson.
    """
    left, right = await _sides(session, body)
    judgement = await _judge(session, left, right)
    spelled = await service.spellings(session, {each for each in judgement.records if each})
    person = await repository.decided(session, _ids(left), _ids(right))
    return Explanation(
        left_id=body.left_id,
        right_id=body.right_id,
        probability=judgement.probability,
        weight=judgement.weight,
        decision=person.verdict if person else judgement.decision,
        decided_by=person.actor if person else None,
        evidence=[EvidenceRead(**row) for row in evidence(judgement, judgement.records[0], spelled)],
    )


async def part(session: Session, left_id: UUID, right_id: UUID) -> None:
    """Leave a pair of two candidates that says what a person has: they are different. It can be decided otherwise.

    Nothing is left of somebody who is hidden.
    """
    people = await service.sides_of(session, sorted((left_id, right_id)))
    if people.keys() != {left_id, right_id}:
        return
    judgement = await _judge(session, people[left_id], people[right_id])
    asked = judgement.decided("different", "requested")
    await service.open_pairs(session, [Opened(left_id, right_id, asked, judgement.records[0])])
    await merging.tell_apart(session, left_id, right_id)


async def _judge(session: Session, left: Sequence[Side], right: Sequence[Side]) -> Judgement:
    known = await service.knowledge(session)
    await service.learn(session, known, [*left, *right])
    return judge(left, right, known)


async def _sides(session: Session, body: ExplainBody) -> tuple[list[Side], list[Side]]:
    live = await candidates.resolve_many(session, [body.left_id, body.right_id])
    wrong = [name for name in ("left_id", "right_id") if getattr(body, name) not in live]
    if wrong:
        sentence = CandidateNotFound.sentence()
        raise CandidateNotFound(errors=[FieldError(f"/{name}", "not_found", sentence) for name in wrong])
    if live[body.left_id] != live[body.right_id]:
        people = await service.sides_of(session, sorted(live.values()))
        return people[live[body.left_id]], people[live[body.right_id]]
    return await _before_the_merge(session, body)


async def _before_the_merge(session: Session, body: ExplainBody) -> tuple[list[Side], list[Side]]:
    """Share one candidate's records out to two of its ids: what came to the narrower one, and the others."""
    came = {
        each: {row.record_id: read_side(row) for row in await repository.came_with(session, each)}
        for each in (body.left_id, body.right_id)
    }
    if came[body.left_id].keys() == came[body.right_id].keys():
        raise SamePerson(errors=[FieldError("/right_id", SamePerson.code, SamePerson.sentence())])
    narrow, wide = sorted(came, key=lambda each: len(came[each]))
    shared = {
        narrow: list(came[narrow].values()),
        wide: [side for record, side in came[wide].items() if record not in came[narrow]],
    }
    return shared[body.left_id], shared[body.right_id]


def _ids(sides: Sequence[Side]) -> list[UUID]:
    return [side.record_id for side in sides if side.record_id]
