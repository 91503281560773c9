"""Whose the records are that came while two candidates were one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.candidates.profile import DECISIVE, Record

Mark = tuple[str, str, str]


@dataclass(slots=True)
class Parted:
    """Ids of records: those that go back to the loser, and those of which nobody can say it, which stay."""

    back: set[str] = field(default_factory=set)
    unclear: list[Record] = field(default_factory=list)


def parted(survivor: Sequence[Record], loser: Sequence[Record], between: Iterable[Record]) -> Parted:
    """Give each record that came in between to the side that it names by an identifier.

    A new version of a record belongs to where that record is; else an e-mail, phone, link or external id that only one
    side has decides, also one that another record of that side has brought in between. A correction names its candidate
    by an id and stays.
    """
    found = Parted()
    mine, theirs = _marks(survivor), _marks(loser)
    waiting = [each for each in between if each.door not in DECISIVE]
    while waiting:
        undecided = []
        for record in waiting:
            side = _side(record, mine, theirs)
            if side is None:
                undecided.append(record)
                continue
            side |= _marks([record])
            if side is theirs:
                found.back.add(record.id)
        if len(undecided) == len(waiting):
            break
        waiting = undecided
    found.unclear = waiting
    return found


def _side(record: Record, mine: set[Mark], theirs: set[Mark]) -> set[Mark] | None:
    identity = {("external_id", record.source or "", record.external_id)} if record.external_id else set()
    for marks in (identity, _marks([record])):
        at_mine, at_theirs = not marks.isdisjoint(mine), not marks.isdisjoint(theirs)
        if at_mine != at_theirs:
            return mine if at_mine else theirs
    return None


def _marks(records: Iterable[Record]) -> set[Mark]:
    found: set[Mark] = set()
    for record in records:
        found |= {(each.kind, "", each.key) for each in record.features.contacts if each.key}
        found |= {("external_id", source, id_) for source, id_ in record.features.external_ids}
    return found
