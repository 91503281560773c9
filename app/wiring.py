"""Where knowledge travels up: which due work follows from which event."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from app.candidates.schemas import CandidatePatch
from app.imports import service as imports
from app.intake import service as intake
from app.intake.statement import Statement
from app.kit import outbox
from app.kit.db import Session
from app.kit.ids import block_of
from app.kit.outbox import Event, Reaction, Wake
from app.privacy import hiding
from app.sequences import enrollments, entries, exits
from app.sequences import service as sequences
from app.touchpoints.kinds import DEEDS, SELECTION

COUNTED: Final = frozenset({"tags", "interests", "skills", "sources", "current_company", "location"})
"""What of a profile the kept counts of facets show."""


def _score(event: Event) -> Iterator[Wake]:
    """Score a candidate anew, and forget the score of one who has become part of them."""
    yield Wake("score", event.id)
    if (loser := event.data.get("loser_id")) is not None:
        yield Wake("score", UUID(str(loser)))


def _attach(event: Event) -> Iterator[Wake]:
    yield Wake("attach", event.id)


def _touched(event: Event) -> Iterator[Wake]:
    """Score the person of a touchpoint; look again for one that is not known, who may be coming at this moment."""
    person = event.data["candidate_id"]
    yield Wake("attach_touchpoint", block_of(event.id)) if person is None else Wake("score", person)


def _deeds(event: Event) -> Iterator[Wake]:
    """Look at what a touchpoint says of its person beyond itself."""
    if event.data["type"] in DEEDS and (person := event.data["candidate_id"]) is not None:
        yield Wake("deeds", person)


def _selected(event: Event) -> Iterator[Wake]:
    """Look at how the selection of a touchpoint's person stands; a contact is noticed when they are scored."""
    if event.data["type"] in SELECTION:
        yield from _deeds(event)


def _timeline(event: Event) -> Iterator[Wake]:
    """Look at the whole timeline of who has another one now."""
    yield Wake("deeds", event.id)


def _member(event: Event) -> Iterator[Wake]:
    """Ask the pools again for a candidate; who is scored anew comes to that by themselves."""
    yield Wake("member", event.id)


def _leave(event: Event) -> Iterator[Wake]:
    """Take who has become part of another person out of the pools."""
    yield Wake("member", UUID(str(event.data["loser_id"])))


def _facet(event: Event) -> Iterator[Wake]:
    """Count a candidate anew where the change is one that facets show, and forget who has become part of them."""
    if event.type != "candidate.updated" or not COUNTED.isdisjoint(event.changed_fields):
        yield Wake("facet", event.id)
    if (loser := event.data.get("loser_id")) is not None:
        yield Wake("facet", UUID(str(loser)))


REACTIONS: Final[Mapping[str, Sequence[Reaction]]] = {
    "candidate.created": (_attach, _score, _facet),
    "candidate.updated": (_attach, _score, _facet),
    "candidate.deleted": (_attach, _score, _facet, hiding.on_deleted),
    "candidate.restored": (_attach, _score, _facet),
    "candidate.merged": (_attach, _score, _timeline, _leave, _facet),
    "candidate.unmerged": (_attach, _score, _timeline, _facet),
    "touchpoint.created": (_touched, _selected, exits.on_touchpoint),
    "touchpoint.updated": (_touched, _deeds, exits.on_touchpoint),
    "consent.changed": (exits.on_consent,),
    "candidate.erased": (_member, _facet),
    "score.tier_changed": (_facet,),
}


async def _tag(session: Session, candidate_id: UUID, add: Sequence[str], remove: Sequence[str]) -> None:
    """Change a candidate's tags through the one door for people."""
    fields = CandidatePatch.model_validate({"tags": {"add": list(add), "remove": list(remove)}})
    await intake.admit(session, [Statement(fields, target=candidate_id)], door="manual")


def wire() -> None:
    """Join the slices; called once by each process before its first transaction."""
    outbox.react(REACTIONS)
    enrollments.use_tagger(_tag)
    entries.use_imports(imports.not_yet_entered)
    sequences.use_imports(imports.find)
