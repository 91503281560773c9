"""Four hundred days in a few seconds: nothing early, nothing skipped, nothing outside a window, in any zone.

The days hold 29 February and both changes of the clocks. What is right is found by looking at each hour, with none of
the product's own code.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import holidays
import pytest

from app.kit import clock
from app.sequences import enrollments
from app.sequences.mailer import Begin, Envelope, NullMailer, Outcome
from tests.conftest import TenantFixture
from tests.scale import scaled
from tests.sequences.conftest import GRANT, World
from tests.sequences.fakes import OneTenantSender, running

pytestmark = pytest.mark.more
PEOPLE: Final = scaled(20, 1_000)
START: Final = datetime(2027, 12, 3, 5, 20, tzinfo=UTC)
DAYS: Final = 400
PLACES: Final = (
    ("Asia/Tokyo", "JP"),
    ("America/New_York", "US"),
    ("Europe/London", "GB"),
    ("Australia/Lord_Howe", "AU"),
    ("Pacific/Apia", "WS"),
)
WINDOW: Final = {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00", "holidays": "skip"}
WAITS: Final[tuple[dict[str, Any], ...]] = (
    {"for": "P31D"},
    {"until_local": {"time": "02:30", "weekdays": ["sun"]}},
    {"for": "P28DT7H"},
    {"until_local": {"time": "10:15", "weekdays": ["wed"]}},
)
MAILS: Final = 16


class Dated(NullMailer):
    """Notes when each mail left."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, datetime]] = []

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
        if not await begin():
            return Outcome("withheld")
        self.sent.append((envelope.recipient, clock.now()))
        return Outcome("sent", 250, "ok")


def is_open(moment: datetime, zone: str, country: str) -> bool:
    local = moment.astimezone(ZoneInfo(zone))
    is_holiday = local.date() in holidays.country_holidays(country)
    return local.weekday() < 5 and 9 <= local.hour < 18 and not is_holiday


def opening(due: datetime, zone: str, country: str) -> datetime:
    """Return the first instant from `due` on when the window is open, looking at every half hour."""
    moment = due
    while not is_open(moment, zone, country):
        moment = moment.replace(minute=30 * (moment.minute // 30), second=0, microsecond=0) + timedelta(minutes=30)
    return moment


def _steps(template: str) -> Iterator[dict[str, Any]]:
    for number in range(MAILS):
        yield {"key": f"m{number}", "type": "send", "template_id": template}
        yield {"key": f"w{number}", "type": "wait", **WAITS[number % len(WAITS)]}


async def _let_time_pass(world: World, tenant: TenantFixture, time: Any, mailer: Dated) -> None:
    sender = OneTenantSender(world.database, mailer, tenant.id)
    while time.now() < START + timedelta(days=DAYS):
        async with world.database.transaction(tenant.caller) as session:
            coming = await session.value(
                """select least((select min(next_at) from enrollments where state = 'active'),
                     (select min(scheduled_at) from messages where state in ('scheduled', 'retry')))"""
            )
            if coming is None:
                return
            time.reach(coming)
            due = await session.rows("select id from enrollments where next_at <= :at", at=time.now())
            await enrollments.advance(session, [row.id for row in due])
        while await sender.once():
            pass


async def test_four_hundred_days_of_waits_and_windows(world: World, tenant: TenantFixture) -> None:
    await world.api.patch("/v1/tenant", json={"send_window": WINDOW})
    sequence = await world.sequence(*_steps(await world.template(body="<p>{{ legal_footer }}</p>")))
    people = {}
    for number in range(PEOPLE):
        zone, country = PLACES[number % len(PLACES)]
        candidate = await world.candidate(granted=False, timezone=zone, location={"country_code": country})
        people[candidate] = (zone, country)
    items = [{"candidate_id": each, **GRANT} for each in people]
    for first in range(0, PEOPLE, 500):
        await world.post("/v1/consents/batch", {"items": items[first : first + 500]}, 207)
    mailer = Dated()
    with running(START) as time:
        for first in range(0, PEOPLE, 500):
            body = {"candidate_ids": list(people)[first : first + 500]}
            await world.post(f"/v1/sequences/{sequence}/enrollments", body, 207)
        await _let_time_pass(world, tenant, time, mailer)
    async with world.database.transaction(tenant.caller) as session:
        rows = await session.rows(
            """select candidate_id, step, due_at, sent_at, "to", state from messages
               where sequence_id = cast(:id as uuid) order by candidate_id, due_at""",
            id=sequence,
        )
    for candidate, (zone, country) in people.items():
        mails = [row for row in rows if row.candidate_id == UUID(candidate) and row.state == "sent"]
        assert [row.step for row in mails] == [f"m{number}" for number in range(len(mails))]
        assert len(mails) >= 12
        for row in mails:
            assert row.sent_at == opening(row.due_at, zone, country), (row.step, zone)
            assert is_open(row.sent_at, zone, country)
        for number, (before, after) in enumerate(pairwise(mails)):
            _check_wait(WAITS[number % len(WAITS)], before.sent_at, after.due_at, zone)
    sent = sorted((row["to"], row.sent_at) for row in rows if row.state == "sent")
    assert sorted(mailer.sent) == sent


def _check_wait(wait: dict[str, Any], since: datetime, until: datetime, zone: str) -> None:
    if "for" in wait:
        assert until - since == {"P31D": timedelta(days=31), "P28DT7H": timedelta(days=28, hours=7)}[wait["for"]]
        return
    local = until.astimezone(ZoneInfo(zone))
    asked = wait["until_local"]
    assert ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()] in asked["weekdays"]
    hour, minute = map(int, asked["time"].split(":"))
    assert timedelta(0) < until - since <= timedelta(days=7, hours=1)
    is_skipped = (until - timedelta(hours=1)).astimezone(ZoneInfo(zone)).utcoffset() != local.utcoffset()
    assert (local.hour, local.minute) == (hour, minute) or is_skipped
