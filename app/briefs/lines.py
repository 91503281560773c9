"""The lines of a brief: every fact with what says so, and nothing that nobody said."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from app.briefs.words import DEEDS, LABELS
from app.candidates.features import said
from app.candidates.fields import KEYS, Key
from app.pools import reasons
from app.pools.reasons import Language

NEWEST: Final = 10
"""How many touchpoints are told."""
FIELDS: Final = (
    "full_name", "full_name_kana", "headline", "current_company", "department", "years_of_experience", "location",
    "language", "birth_date",
)  # fmt: skip
LISTS: Final = ("skills", "interests", "tags", "sources")


@dataclass(frozen=True, slots=True)
class Line:
    """One fact; at least one of the two lists of ids holds something."""

    topic: str
    text: str
    record_ids: tuple[str, ...] = ()
    touchpoint_ids: tuple[str, ...] = ()


class Statement(Protocol):
    """A record: its id, and what it states."""

    @property
    def id(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


class Deed(Protocol):
    """A touchpoint."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def topics(self) -> tuple[str, ...]: ...
    @property
    def actor(self) -> str: ...


class Part(reasons.Part, Protocol):
    """A contribution of a score, and which touchpoint made it."""

    @property
    def touchpoint_id(self) -> Any: ...  # noqa: ANN401 (an id, or None)


def of_profile(
    fields: Mapping[str, Any], provenance: Mapping[str, str], records: Sequence[Statement], language: Language
) -> Iterator[Line]:
    """Tell what is known of the person, each fact citing the record that it is taken from."""
    for name in FIELDS:
        sources = _sources(name, provenance)
        if fields[name] and sources:
            yield Line("profile", _labelled(name, _value(fields[name]), language), record_ids=sources)
    for name in LISTS:
        shown = {KEYS[name](item): item for item in fields[name]}
        stating = tuple(each.id for each in records if _states(each, name, shown.keys()))
        if stating:
            text = ("、" if language == "ja" else ", ").join(map(_item, shown.values()))
            yield Line("profile", _labelled(name, text, language), record_ids=stating)


def _states(record: Statement, name: str, keys: Collection[Key]) -> bool:
    return any(KEYS[name](item) in keys for item in said(record.payload, name)[0])


def _sources(name: str, provenance: Mapping[str, str]) -> tuple[str, ...]:
    """Return the records that a field is from; a name that is put together is from those of its parts."""
    parts = ("full_name", "family_name", "given_name") if name == "full_name" else (name,)
    own = [provenance[name]] if name in provenance else [provenance[part] for part in parts if part in provenance]
    return tuple(dict.fromkeys(own))


def of_timeline(deeds: Iterable[Deed], language: Language, zone: ZoneInfo, at: datetime) -> Iterator[Line]:
    """Tell the newest that happened, the last first; what a machine did is left out, and what is still to come."""
    happened = [each for each in deeds if each.actor != "machine" and each.occurred_at <= at]
    for deed in sorted(happened, key=lambda each: (each.occurred_at, each.id), reverse=True)[:NEWEST]:
        japanese, english = DEEDS.get(deed.type, (deed.type, deed.type))
        topics = f" ({', '.join(deed.topics)})" if deed.topics else ""
        day = deed.occurred_at.astimezone(zone).date().isoformat()
        text = f"{day}: {japanese if language == 'ja' else english}{topics}"
        yield Line("timeline", text, touchpoint_ids=(deed.id,))


def of_score(parts: Iterable[Part], language: Language, zone: ZoneInfo) -> Iterator[Line]:
    """Tell what the interest is made of, rule by rule, each citing its touchpoints; fit is in the profile."""
    by_rule: dict[str, list[Part]] = {}
    for part in parts:
        if part.touchpoint_id is not None:
            by_rule.setdefault(part.rule, []).append(part)
    order = {text: place for place, text in enumerate(reasons.sentences(_all(by_rule), language, zone))}
    told = {reasons.sentences(group, language, zone)[0]: group for group in by_rule.values()}
    for text in sorted(told, key=order.__getitem__):
        cited = tuple(dict.fromkeys(str(part.touchpoint_id) for part in told[text]))
        yield Line("interest", text, touchpoint_ids=cited)


def _all(groups: Mapping[str, Sequence[Part]]) -> list[Part]:
    return [part for group in groups.values() for part in group]


def _labelled(name: str, text: str, language: Language) -> str:
    japanese, english = LABELS[name]
    return f"{japanese}: {text}" if language == "ja" else f"{english}: {text}"


def _value(value: Any) -> str:  # noqa: ANN401 (any value of a profile)
    if isinstance(value, dict):
        return ", ".join(str(each) for each in value.values() if each)
    if isinstance(value, float):
        return f"{value:g}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _item(item: Any) -> str:  # noqa: ANN401 (an item of a list of a profile)
    if not isinstance(item, dict):
        return str(item)
    name = item.get("name") or item.get("type") or ""
    notes = [f"{item['years']:g} y"] if item.get("years") else []
    notes += [f"level {item['level']}"] if item.get("level") else []
    notes += [str(item[key]) for key in ("occurred_on", "detail") if item.get(key)]
    return f"{name} ({', '.join(notes)})" if notes else str(name)
