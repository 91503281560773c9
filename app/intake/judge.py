"""Judging statements one after the other over what one transaction knows; nothing is read or written here."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from app.candidates import events
from app.candidates.draft import Draft
from app.candidates.features import FIELD_OF, Features
from app.candidates.profile import DECISIVE, Record
from app.candidates.retention import DEFAULT_BASIS
from app.dedup.matching import Filed, Linked, Opened
from app.dedup.pool import Keyed, Met, Pool
from app.dedup.rules import Reason
from app.intake.statement import Admission, MatchedPair, OnMatch, Outcome, Statement
from app.kit.clock import now
from app.kit.errors import FieldError
from app.kit.ids import new_id
from app.kit.outbox import Event

Owner = tuple[UUID | None, int]


@dataclass(frozen=True, slots=True)
class Item:
    """One statement, normalised."""

    statement: Statement
    payload: dict[str, Any]
    keyed: Keyed
    faults: Sequence[FieldError] = ()
    """What its custom fields must not say."""
    suppressed: Collection[str] = ()
    """For which reasons some address or id of it is suppressed."""

    @property
    def features(self) -> Features:
        return self.keyed.features


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom to link to, whom to pair with, or between whom the conflict is."""

    link: Met | None = None
    pairs: Sequence[Met] = ()
    conflict: Sequence[UUID] = ()


def choose(found: Sequence[Met], mode: OnMatch, *, automatic: bool) -> Choice:
    """Decide what matches mean; `found` comes the best first."""
    same = [each for each in found if each.judgement.decision == "same"]
    if mode == "create" or not found:
        return Choice()
    if mode == "link":
        if len(same) > 1:
            return Choice(conflict=sorted(each.candidate_id for each in same))
        return Choice(pairs=found) if found[0].judgement.contradicts else Choice(found[0], found[1:])
    if mode == "policy" and automatic and same:
        others = [each for each in found if each is not same[0]]
        return Choice(same[0], [_held_back(each, "several") for each in others])
    return Choice(pairs=[_held_back(each, "requested") for each in found])


def _held_back(found: Met, reason: Reason) -> Met:
    """Say why a match that would link is only paired: somebody else is linked, or a review is asked for."""
    if found.judgement.decision != "same":
        return found
    return Met(found.candidate_id, found.judgement.decided("same", reason))


@dataclass(slots=True)
class Judge:
    """What is known, and what has been decided so far."""

    pool: Pool
    drafts: dict[UUID, Draft]
    externals: dict[tuple[str, str], Owner]
    door: str
    key: Callable[[Features], Keyed]
    filed: list[Filed] = field(default_factory=list)
    linked: list[Linked] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    freed: set[tuple[UUID, tuple[str, str]]] = field(default_factory=set)
    """External ids that are nobody's any more, with whose they were."""

    def admit(self, item: Item) -> Admission:
        """Judge one statement as if it came alone, after those before it."""
        if item.statement.target is None and not item.features.identifies:
            return Admission("invalid", errors=list(_what_is_wrong(item)))
        if item.faults:
            return Admission("invalid", errors=list(item.faults))
        if "erased" in item.suppressed:
            return Admission("blocked_erased")
        owners = {owner for each in item.features.external_ids if (owner := self._owner(each))}
        owners |= {item.statement.target} if item.statement.target else set()
        if len(owners) > 1:
            return Admission("conflict", candidate_ids=sorted(owners))
        return self._again(owners.pop(), item) if owners else self._first(item)

    def _owner(self, external: tuple[str, str]) -> UUID | None:
        return self.externals.get(external, (None, 0))[0]

    def _again(self, owner: UUID, item: Item) -> Admission:
        """Take one more statement about somebody who is known by an id; whom else it matches is only paired."""
        draft = self.drafts[owner]
        if item.statement.expect:
            item.statement.expect(draft.version)
        statement = self.key(completed(item.features, [record.features for record in draft.records]))
        known = item.statement.target or self._owner(item.features.external_ids[0])
        found = self.pool.meet(statement, owner) if item.statement.on_match != "create" else []
        before = draft.version
        record = self._take(draft, item, statement)
        outcome: Outcome = "linked" if not known else "updated" if draft.version > before else "unchanged"
        return self._admitted(outcome, draft, record, found)

    def _first(self, item: Item) -> Admission:
        found = self.pool.meet(item.keyed)
        choice = choose(found, item.statement.on_match, automatic=self.pool.known.policy.automatic)
        if choice.conflict:
            return Admission("conflict", candidate_ids=list(choice.conflict))
        if choice.link is None:
            return self._new(item, choice.pairs)
        draft = self.drafts[choice.link.candidate_id]
        record = self._take(draft, item, item.keyed)
        self.linked.append(Linked(UUID(record.id), choice.link.judgement))
        return self._admitted("linked", draft, record, choice.pairs)

    def _new(self, item: Item, pairs: Sequence[Met]) -> Admission:
        draft = Draft(new_id(), made_at=now(), basis=item.statement.basis or DEFAULT_BASIS)
        self.drafts[draft.id] = draft
        record = self._take(draft, item, item.keyed)
        admission = self._admitted("review" if pairs else "created", draft, record, pairs)
        return admission if item.suppressed else replace(admission, made=draft)

    def _take(self, draft: Draft, item: Item, statement: Keyed) -> Record:
        """Make the statement a record of this candidate."""
        record = self._record(item)
        changed = draft.add(record, self.pool.known.policy.source_order)
        for external in item.features.external_ids:
            version = self.externals.get(external, (None, 0))[1]
            is_record = (record.source, record.external_id) == external
            self.externals[external] = (draft.id, record.version if is_record else version)
        self.freed |= {(draft.id, each) for each in draft.removed_external_ids} if self.door in DECISIVE else set()
        self.pool.file(draft.id, statement, UUID(record.id))
        self.filed.append(Filed(UUID(record.id), draft.id, statement, item.payload))
        if len(draft.records) == 1:
            self.events.append(events.created(draft.id, draft.version, changed))
        elif changed:
            self.events.append(events.updated(draft.id, draft.version, changed))
        return record

    def _record(self, item: Item) -> Record:
        source, external_id, version = None, None, 1
        if self.door in DECISIVE:
            source = self.door
        elif item.features.external_ids:
            source, external_id = item.features.external_ids[0]
            version = self.externals.get((source, external_id), (None, 0))[1] + 1
        return Record(str(new_id()), source, external_id, version, self.door, item.payload, item.features)

    def _admitted(self, outcome: Outcome, draft: Draft, record: Record, found: Sequence[Met]) -> Admission:
        record_id = UUID(record.id)
        self.opened += [Opened(draft.id, each.candidate_id, each.judgement, record_id) for each in found]
        pairs = [MatchedPair(each.candidate_id, each.judgement.probability, each.judgement.decision) for each in found]
        return Admission(outcome, draft.id, UUID(record.id), draft.version, pairs, warnings=draft.warnings)


def completed(features: Features, known: Sequence[Features]) -> Features:
    """Fill what a statement does not say of somebody with what they are known by: absent fields keep their value.

    `known` comes the oldest first.
    """
    newest = list(reversed(known))
    return replace(
        features,
        name=features.name or next((each.name for each in newest if each.name), None),
        employer=features.employer or next((each.employer for each in newest if each.employer), None),
        birth_date=features.birth_date or next((each.birth_date for each in newest if each.birth_date), None),
    )


def _what_is_wrong(item: Item) -> Sequence[FieldError]:
    unread = [each for each in item.features.contacts if each.kind != "url"]
    if not unread:
        return [FieldError("", "nothing_identifies", "A name, an e-mail, a phone or an external id is needed.")]
    first = {each.kind: f"/{FIELD_OF[each.kind]}/0/value" for each in unread}
    return [FieldError(pointer, f"invalid_{kind}", "This cannot be read.") for kind, pointer in first.items()]
