"""Where knowledge travels up: which due work follows from which event."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.kit import outbox
from app.kit.outbox import Event, Reaction, Wake


def _score(event: Event) -> Iterator[Wake]:
    yield Wake("score", event.id)


def _attach(event: Event) -> Iterator[Wake]:
    yield Wake("attach", event.id)


def _touched(event: Event) -> Iterator[Wake]:
    """Score the person of a touchpoint; look again for one that is not known, who may be coming at this moment."""
    person = event.data["candidate_id"]
    yield Wake("attach_touchpoint", event.id) if person is None else Wake("score", person)


def _member(event: Event) -> Iterator[Wake]:
    yield Wake("member", event.id)


def _met(event: Event) -> Iterator[Wake]:
    """Ask the pools again for the person of a touchpoint, whose criteria may ask for it."""
    if (person := event.data["candidate_id"]) is not None:
        yield Wake("member", person)


REACTIONS: Final[Mapping[str, Sequence[Reaction]]] = {
    "candidate.created": (_attach, _score, _member),
    "candidate.updated": (_attach, _score, _member),
    "candidate.deleted": (_attach, _score, _member),
    "candidate.restored": (_attach, _score, _member),
    "candidate.merged": (_attach, _score, _member),
    "candidate.unmerged": (_attach, _score, _member),
    "touchpoint.created": (_touched, _met),
    "touchpoint.updated": (_touched, _met),
    "score.tier_changed": (_member,),
}


def wire() -> None:
    """Join the slices; called once by each process before its first transaction."""
    outbox.react(REACTIONS)
