"""Survivorship: what the records of one person add up to.

A value confirmed by the person (`self`) stands over a correction by hand (`manual`), that over the sources in the order
of the tenant's policy, and within one source the newest stands. Later versions of one record overwrite only what they
state; null takes a value back. Lists are united; corrections by hand and by the person may also take items away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from app.candidates.features import FIELD_OF, Features, said
from app.candidates.fields import CONTACTS, KEYS, LISTS, SCALARS
from app.normalise.text import script_of

SELF: Final = "self"
MANUAL: Final = "manual"
DECISIVE: Final = (SELF, MANUAL)
"""Sources whose word stands whatever others say later, also when it is null."""

SOURCE_ORDER: Final = ("self", "manual", "ats", "form", "import", "event", "sns")
FAMILY_FIRST: Final = ("ja", "zh", "ko", "hu", "vi", "km")
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "external_ids": ("source", "id"),
    "links": ("type", "url"),
    "skills": ("name", "level", "years"),
    "sources": ("type", "name", "occurred_on", "detail"),
}
_OF_CONTACTS: Final = frozenset(FIELD_OF.values())
_LOCATION: Final = ("country_code", "region", "city")
_SCRIPTS: Final = ("", "_kana", "_romaji")


@dataclass(frozen=True, slots=True)
class Record:
    """One statement, as far as the profile needs it; records are given oldest first."""

    id: str
    source: str | None
    external_id: str | None
    version: int
    door: str
    payload: Mapping[str, Any]
    features: Features
    received_at: datetime = field(default=_LAST, compare=False)
    """Until it is stored, after all others."""

    @property
    def age(self) -> tuple[datetime, str]:
        """Sorts the oldest first, also records of several people."""
        return self.received_at, self.id

    @property
    def chain(self) -> tuple[str, str]:
        """Versions of one record share this; so do all corrections by hand, and all by the person."""
        if self.door in DECISIVE:
            return (self.door, "")
        return (self.source or "", self.external_id) if self.external_id else ("", self.id)

    def rank(self, order: Sequence[str]) -> int:
        """Return the place of this record's source: 0 stands over all."""
        if self.door in DECISIVE:
            return DECISIVE.index(self.door)
        types = (item.get("type") for item in said(self.payload, "sources")[0])
        named = (each for each in (*types, self.source, self.door) if each in order)
        return len(DECISIVE) + next((order.index(each) for each in named), len(order))


@dataclass(frozen=True, slots=True)
class Computed:
    """A profile: its fields, from which record each single value is, and what is to be looked at."""

    fields: dict[str, Any]
    provenance: dict[str, str]
    warnings: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Said:
    """One record's word on one field."""

    rank: int
    place: int
    value: Any
    record: Record

    @property
    def is_decisive(self) -> bool:
        return self.rank < len(DECISIVE)


def compute(records: Sequence[Record], order: Sequence[str] = SOURCE_ORDER) -> Computed:
    """Compute the profile of one person from all records, the oldest first."""
    ranked = [(record.rank(order), place, record) for place, record in enumerate(records)]
    fields: dict[str, Any] = {**dict.fromkeys((*SCALARS, "location")), "custom_fields": {}}
    provenance: dict[str, str] = {}
    warnings: list[dict[str, Any]] = []
    words: dict[str, list[_Said]] = {}
    for rank, place, record in ranked:
        for name, value in record.payload.items():
            words.setdefault(name, []).append(_Said(rank, place, value, record))
    for name in [each for each in fields if each in words]:
        fields[name], winner = _SINGLE.get(name, _scalar)(words[name])
        if winner is not None:
            provenance[name] = winner.record.id
            warnings.extend(_superseded(name, winner, words[name]))
    for name in LISTS:
        told = [each for each in ranked if _tells_of(name, each[2])]
        fields[name] = _unite(name, told) if told else []
        if any(rank < len(DECISIVE) for rank, *_ in told):
            warnings.extend(_left_out(name, fields[name], ranked))
    fields["email_addresses"] = _with_primary(fields["email_addresses"], records)
    fields["full_name"] = fields["full_name"] or _composed(fields)
    warnings.extend(_unreadable(fields))
    return Computed(fields, provenance, warnings)


def _scalar(words: Sequence[_Said]) -> tuple[Any, _Said | None]:
    latest = {word.record.chain: word for word in words}
    for word in sorted(latest.values(), key=lambda word: (word.rank, -word.place)):
        if word.is_decisive or word.value not in (None, ""):
            return word.value or None if isinstance(word.value, str) else word.value, word
    return None, None


def _documents(words: Sequence[_Said]) -> tuple[list[tuple[_Said, dict[str, Any]]], list[_Said]]:
    """Return each ordinary record's document, the strongest last, and the decisive patches in the order they apply."""
    documents: dict[tuple[str, str], tuple[_Said, dict[str, Any]]] = {}
    for word in words:
        if not word.is_decisive:
            before = documents.get(word.record.chain, (word, {}))[1]
            documents[word.record.chain] = (word, merge_patch(before, word.value))
    patches = sorted((word for word in words if word.is_decisive), key=lambda word: (-word.rank, word.place))
    return sorted(documents.values(), key=lambda found: (-found[0].rank, found[0].place)), patches


def _location(words: Sequence[_Said]) -> tuple[Any, _Said | None]:
    documents, patches = _documents(words)
    stated = [found for found in documents if found[1]]
    winner, place = stated[-1] if stated else (None, {})
    for patch in patches:
        winner, place = patch, merge_patch(place, patch.value)
    return ({name: place.get(name) for name in _LOCATION} if place else None), winner


def _custom_fields(words: Sequence[_Said]) -> tuple[Any, _Said | None]:
    documents, patches = _documents(words)
    whole: dict[str, Any] = {}
    for _, document in documents:
        whole = merge_patch(whole, document)
    for patch in patches:
        whole = merge_patch(whole, patch.value)
    last = patches[-1] if patches else documents[-1][0] if documents else None
    return whole, last


_SINGLE = {"location": _location, "custom_fields": _custom_fields}


def merge_patch(target: Any, patch: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Apply a JSON Merge Patch (RFC 7396); null for the whole document empties it."""
    if patch is None:
        return {}
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _tells_of(name: str, record: Record) -> bool:
    """Whether a record could add to a list or take away from it."""
    if name in _OF_CONTACTS:
        return bool(record.payload.get(name) or record.features.contacts)
    return bool(record.payload.get(name))


def _items(name: str, record: Record) -> list[Any]:
    """Return what a record adds to a list, as answered."""
    if name in CONTACTS:
        contacts = (each for each in record.features.contacts if FIELD_OF[each.kind] == name)
        return [{"value": each.shown, "raw": each.raw, "type": each.type or each.line} for each in contacts]
    if name == "links":
        return [{"type": each.type, "url": each.raw} for each in record.features.contacts if each.kind == "url"]
    return said(record.payload, name)[0]


def _removes(name: str, record: Record, key: tuple[Any, ...]) -> bool:
    if name in CONTACTS:
        return key[0] in record.features.removed
    removed = said(record.payload, name)[1]
    return any(_key_of(name, item) == key for item in removed)


def _key_of(name: str, item: Any) -> tuple[Any, ...]:  # noqa: ANN401 (any JSON value)
    """Return the key that a `remove` means: of an item, or the key itself."""
    if isinstance(item, dict):
        return KEYS[name](item)
    return tuple(item) if isinstance(item, list) else (item,)


def _unite(name: str, ranked: Sequence[tuple[int, int, Record]]) -> list[Any]:
    """Unite a list: places by first appearance, contents by strength, then what the decisive add and take away."""
    key, found = KEYS[name], dict[tuple[Any, ...], Any]()
    ordinary = [each for each in ranked if each[0] >= len(DECISIVE)]
    for _, _, record in ordinary:
        for item in _items(name, record):
            found.setdefault(key(item), item)
    for _, _, record in sorted(ordinary, key=lambda each: (-each[0], each[1])):
        for item in _items(name, record):
            found[key(item)] = _joined(found[key(item)], item)
    for rank in (DECISIVE.index(MANUAL), DECISIVE.index(SELF)):
        for _, _, record in (each for each in ranked if each[0] == rank):
            found = {known: item for known, item in found.items() if not _removes(name, record, known)}
            for item in _items(name, record):
                found[key(item)] = _joined(found.get(key(item)), item)
    return [_shaped(name, item) for item in found.values()]


def _joined(old: Any, new: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if not isinstance(new, dict):
        return new
    return {**(old or {}), **{name: value for name, value in new.items() if value is not None}}


def _shaped(name: str, item: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if name in CONTACTS:
        return {"value": item.get("value"), "raw": item["raw"], "type": item.get("type") or "other"}
    return {each: item.get(each) for each in _SHAPES[name]} if name in _SHAPES else item


def _with_primary(items: list[dict[str, Any]], records: Sequence[Record]) -> list[dict[str, Any]]:
    """Put the primary first: marked so by the newest record that has a valid e-mail, else the first of that record."""
    valid = {item["value"] for item in items} - {None}
    primary = None
    for record in reversed(records):
        emails = [each for each in record.features.contacts if each.kind == "email" and each.shown in valid]
        if emails:
            primary = next((each for each in emails if each.is_primary), emails[0]).shown
            break
    marked = [{**item, "is_primary": item["value"] is not None and item["value"] == primary} for item in items]
    return sorted(marked, key=lambda item: not item["is_primary"])


def _composed(fields: Mapping[str, Any]) -> str | None:
    """Build the full name from its parts; of somebody known by a reading only, it is the reading."""
    written, kana, romaji = (_in_order(fields, "family_name" + script, "given_name" + script) for script in _SCRIPTS)
    return written or fields["full_name_kana"] or kana or romaji


def _in_order(fields: Mapping[str, Any], family_name: str, given_name: str) -> str | None:
    """Join two parts in the language's order; without a language, the script decides."""
    family, given = fields[family_name], fields[given_name]
    language = (fields["language"] or "").partition("-")[0].lower()
    family_first = language in FAMILY_FIRST if language else script_of((family or "") + (given or "")) != "latin"
    return " ".join(filter(None, (family, given) if family_first else (given, family))) or None


def _superseded(name: str, winner: _Said, words: Iterable[_Said]) -> Iterable[dict[str, Any]]:
    if winner.is_decisive and any(
        word.place > winner.place and word.rank > winner.rank and word.value not in (winner.value, None)
        for word in words
    ):
        yield {"code": "superseded", "pointer": f"/{name}", "by": winner.record.door}


def _left_out(name: str, items: list[Any], ranked: Iterable[tuple[int, int, Record]]) -> Iterable[dict[str, Any]]:
    """Tell a later statement of an item that was taken away by hand or by the person."""
    kept, by = {KEYS[name](item) for item in items}, None
    for rank, _, record in ranked:
        if rank < len(DECISIVE):
            by = record.door
        elif by and any(KEYS[name](item) not in kept for item in _items(name, record)):
            yield {"code": "superseded", "pointer": f"/{name}", "by": by}
            return


def _unreadable(fields: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, code in zip(CONTACTS, ("invalid_email", "invalid_phone"), strict=True):
        for place, item in enumerate(fields[name]):
            if item["value"] is None:
                yield {"code": code, "pointer": f"/{name}/{place}", "by": None}
