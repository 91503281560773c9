"""Half a year of what happened with invented people: most are quiet, some read, a few answer."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from app.demo.names import TOPICS
from app.demo.people import Person

DAYS: Final = 180
AGENT: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
)
PROXY: Final = "Mozilla/5.0"
"""Apple's image proxy names itself so: an open that no person made."""
ENDINGS: Final = {"past_applicant": "rejected", "offer_declined": "offer_declined", "career_site": "rejected"}
EVENTS: Final = (
    ("tech-night-12", "Tech Night #12: クラウド移行の舞台裏", "クラウド"),
    ("casual-summer", "夏のカジュアル面談会", "キャリア"),
    ("python-handson", "Python ハンズオン", "Python"),
)


@dataclass(frozen=True, slots=True)
class Mood:
    """How often somebody opens, clicks, comes and answers: shares of 1."""

    opens: float
    clicks: float
    attends: float
    replies: float


MOODS: Final = {
    "quiet": Mood(0.15, 0.02, 0.02, 0.0),
    "reader": Mood(0.6, 0.25, 0.15, 0.02),
    "keen": Mood(0.85, 0.5, 0.6, 0.3),
}


def timeline(people: list[Person], *, seed: int, today: date) -> Iterator[dict[str, Any]]:
    """Yield touchpoints as `POST /v1/touchpoints/batch` takes them; the same ones for the same seed and day."""
    draw = random.Random(seed)  # noqa: S311 (an invented story)
    for person in people:
        mood = MOODS[draw.choices(list(MOODS), weights=(6, 3, 1))[0]]
        begin = max(person.met_on, today - timedelta(days=DAYS))
        yield from _meeting(person)
        for number, day in enumerate(_newsletter_days(begin, today)):
            yield from _newsletter(person, mood, number, day, draw)
        for key, title, topic in EVENTS:
            yield from _event(person, mood, key, title, topic, begin, today, draw)
        if draw.random() < mood.replies:
            yield _touchpoint(person, "casual_interview", _between(begin, today, draw), "casual", topics=["キャリア"])


def _meeting(person: Person) -> Iterator[dict[str, Any]]:
    """Tell how somebody was met, where no imported row tells it already."""
    if person.imported or person.source not in ENDINGS:
        return
    yield _touchpoint(person, "applied", person.met_on, "applied")
    yield _touchpoint(person, ENDINGS[person.source], person.met_on + timedelta(days=21), "ended", hour=4)


def _newsletter_days(begin: date, today: date) -> Iterator[date]:
    day = begin + timedelta(days=14)
    while day < today:
        yield day
        day += timedelta(days=30)


def _newsletter(person: Person, mood: Mood, number: int, day: date, draw: random.Random) -> Iterator[dict[str, Any]]:
    topic = draw.choice(TOPICS)
    message = {"message_id": f"<demo-{person.number}-{number}@example.com>", "subject": f"{topic}の近況"}
    yield _touchpoint(person, "email_delivered", day, f"mail-{number}-delivered", data=message)
    if draw.random() < mood.opens:
        agent = PROXY if draw.random() < 0.3 else AGENT  # noqa: PLR2004 (a share)
        yield _touchpoint(
            person, "email_opened", day, f"mail-{number}-open", hour=2, topics=[topic], data=message, agent=agent
        )
    if draw.random() < mood.clicks:
        clicked = {**message, "url": f"https://example.com/articles/{number}"}
        yield _touchpoint(
            person, "email_clicked", day, f"mail-{number}-click", hour=3, topics=[topic], data=clicked, agent=AGENT
        )
    if draw.random() < mood.replies / 3:
        yield _touchpoint(person, "email_replied", day, f"mail-{number}-reply", hour=5, topics=[topic], data=message)


def _event(
    person: Person, mood: Mood, key: str, title: str, topic: str, begin: date, today: date, draw: random.Random
) -> Iterator[dict[str, Any]]:
    if draw.random() >= mood.attends:
        return
    day = _between(begin, today, draw)
    event = {"event": {"id": key, "title": title}}
    yield _touchpoint(
        person, "event_registered", day - timedelta(days=7), f"{key}-registered", topics=[topic], data=event
    )
    came = "event_attended" if draw.random() < 0.8 else "event_no_show"  # noqa: PLR2004 (a share)
    yield _touchpoint(person, came, day, f"{key}-{came}", hour=9, topics=[topic], data=event)


def _between(begin: date, today: date, draw: random.Random) -> date:
    return begin + timedelta(days=draw.randint(0, max((today - begin).days - 1, 0)))


def _touchpoint(
    person: Person,
    kind: str,
    day: date,
    key: str,
    *,
    hour: int = 1,
    topics: list[str] | None = None,
    data: dict[str, Any] | None = None,
    agent: str | None = None,
) -> dict[str, Any]:
    """Return one touchpoint of `day` at `hour` UTC; the key makes it the same one when it is loaded again."""
    found: dict[str, Any] = {
        "email": person.email,
        "type": kind,
        "occurred_at": datetime(day.year, day.month, day.day, hour, tzinfo=UTC).isoformat(),
        "source": "demo",
        "external_id": f"{person.number}-{key}",
        "topics": topics or [],
        "data": data or {},
    }
    return found | ({"evidence": {"user_agent": agent}} if agent else {})
