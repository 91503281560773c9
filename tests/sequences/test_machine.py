"""Anything that can happen to a person on their way, in any order: never a step twice, never a mail after a stop."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.kit import caller, due, presence
from app.kit.db import Database
from app.kit.ids import new_id
from app.main import create_app
from app.sequences import enrollments
from app.sequences.mailer import Begin, Envelope, NullMailer, Outcome
from app.settings import get_settings
from app.tenancy import bootstrap
from tests.conftest import TenantFixture
from tests.scale import scaled
from tests.sequences.conftest import GRANT, SENDER, World
from tests.sequences.fakes import Clock, OneTenantSender, running

pytestmark = pytest.mark.more
EXAMPLES: Final = scaled(6, 200)
STEPS: Final = scaled(14, 40)
PEOPLE: Final = 3
WHO: Final = st.integers(0, PEOPLE - 1)
FORBIDDEN: Final = """
select e.state <> 'active' or (
    select status from consents c where c.candidate_id = m.candidate_id and c.purpose = 'talent_pool'
    order by obtained_at desc, status = 'withdrawn' desc limit 1) is distinct from 'granted'
  or exists (select from candidates c where c.id = m.candidate_id and c.erased_at is not null) as is_forbidden
from messages m join enrollments e on e.id = m.enrollment_id where m.message_id_header = :header
"""


class Killed(BaseException):
    """Raised where a process is killed."""


class Watched(NullMailer):
    """Notes what left, and whether it was allowed to by then; may be killed before or after it has."""

    def __init__(self, machine: "Machine", dies: str = "") -> None:
        super().__init__()
        self._machine, self._dies = machine, dies

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
        if self._dies == "before":
            raise Killed
        if not await begin():
            return Outcome("withheld")
        header = next(line for line in envelope.data.decode().split("\r\n") if line.startswith("Message-ID: "))
        await self._machine.note(header.removeprefix("Message-ID: "))
        if self._dies == "after":
            raise Killed
        return Outcome("sent", 250, "ok")


class Machine(RuleBasedStateMachine):
    """A tenant of three people and one sequence of three mails."""

    app: FastAPI
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.left: Counter[str] = Counter()
        self.forbidden: list[str] = []
        self.merges: list[str] = []

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self._patching = running(datetime(2027, 3, 1, 3, tzinfo=UTC))
        self.time: Clock = self._patching.__enter__()
        self.run(self._populate())

    def teardown(self) -> None:
        if hasattr(self, "_patching"):
            self._patching.__exit__(None, None, None)

    async def _populate(self) -> None:
        self.database: Database = self.app.state.database
        name = f"Machine {new_id()}"
        tenant_id, key = await bootstrap.issue(self.database, name, [caller.ADMIN], "test")
        self.tenant = TenantFixture(tenant_id, name, key)
        transport = httpx.ASGITransport(self.app)
        api = httpx.AsyncClient(transport=transport, base_url="http://api", headers=self.tenant.headers)
        self.world = World(api, self.database, lambda: due.run_until_quiet(self.database))
        assert (await api.patch("/v1/tenant", json={"sender": SENDER})).status_code == 200
        template = await self.world.template()
        self.sequence = await self.world.sequence(
            {"key": "a", "type": "send", "template_id": template},
            {"key": "pause", "type": "wait", "for": "P2D"},
            {"key": "b", "type": "send", "template_id": template},
            {"key": "rest", "type": "wait", "for": "P2D"},
            {"key": "c", "type": "send", "template_id": template},
            reentry={"allowed": True, "after": "PT0S"},
        )
        self.people = [await self.world.candidate() for _ in range(PEOPLE)]
        for each in self.people:
            await self.world.enroll(self.sequence, each)

    async def note(self, header: str) -> None:
        self.left[header] += 1
        async with self.database.transaction(self.tenant.caller) as session:
            if await session.value(FORBIDDEN, header=header):
                self.forbidden.append(header)

    @rule(who=WHO)
    def enroll(self, who: int) -> None:
        self.run(self._enroll(who))

    async def _enroll(self, who: int) -> None:
        path = f"/v1/sequences/{self.sequence}/enrollments"
        await self.world.post(path, {"candidate_id": self.people[who]})

    @rule(action=st.sampled_from(["pause", "activate"]))
    def pause(self, action: str) -> None:
        self.run(self.world.post(f"/v1/sequences/{self.sequence}/{action}"))

    @rule(who=WHO)
    def stop(self, who: int) -> None:
        self.run(self._stop(self.people[who]))

    async def _stop(self, candidate: str) -> None:
        path = f"/v1/sequences/{self.sequence}/enrollments?candidate_id={candidate}&state=active"
        for each in (await self.world.get(path))["data"]:
            await self.world.post(f"/v1/enrollments/{each['id']}/stop", {"reason": "enough"})

    @rule(who=WHO, type_=st.sampled_from(["email_replied", "email_bounced", "email_unsubscribed", "applied"]))
    def touch(self, who: int, type_: str) -> None:
        said = {"candidate_id": self.people[who], "type": type_, "occurred_at": self.time.now().isoformat()}
        self.run(self.world.post("/v1/touchpoints", {**said, "source": "test", "external_id": str(new_id())}))

    @rule(who=WHO, status=st.sampled_from(["granted", "withdrawn"]))
    def consent(self, who: int, status: str) -> None:
        said = {**GRANT, "status": status, "obtained_at": self.time.now().isoformat()}
        self.run(self.world.post(f"/v1/candidates/{self.people[who]}/consents", said))

    @rule(survivor=WHO, loser=WHO)
    def merge(self, survivor: int, loser: int) -> None:
        sides = {"survivor_id": self.people[survivor], "loser_id": self.people[loser], "override": True}
        made = self.run(self.world.post("/v1/merges", sides))
        if "survivor_id" in made:
            self.merges.append(made["id"])

    @rule()
    def undo(self) -> None:
        if self.merges:
            self.run(self.world.post(f"/v1/merges/{self.merges.pop()}/undo"))

    @rule(who=WHO)
    def erase(self, who: int) -> None:
        """Forget somebody; a new person takes their place."""
        self.run(self._erase(who))

    async def _erase(self, who: int) -> None:
        await self.world.post(f"/v1/candidates/{self.people[who]}/erase", {"reason": "asked"})
        self.people[who] = await self.world.candidate()
        await self._enroll(who)

    @rule(days=st.sampled_from([0, 1, 2, 5]))
    def wait(self, days: int) -> None:
        self.time.reach(self.time.now() + timedelta(days=days, seconds=1))
        self.run(self._advance())

    async def _advance(self) -> None:
        async with self.database.transaction(self.tenant.caller) as session:
            rows = await session.rows("select id from enrollments where next_at <= :at", at=self.time.now())
            await enrollments.advance(session, [row.id for row in rows])
        await self.world.drain()

    @rule()
    def send(self) -> None:
        self.run(OneTenantSender(self.database, Watched(self), self.tenant.id).once())

    @rule(point=st.sampled_from(["before", "after"]))
    def crash(self, point: str) -> None:
        self.run(self._crash(point))

    async def _crash(self, point: str) -> None:
        sender = OneTenantSender(self.database, Watched(self, point), self.tenant.id)
        try:
            async with presence.held(self.database, sender._worker):
                for claim in (await sender._claim(2))[:1]:
                    await sender.deliver(claim)
        except Killed:
            pass

    @invariant()
    def nobody_gets_a_step_twice(self) -> None:
        assert not [header for header, count in self.left.items() if count > 1]
        if hasattr(self, "tenant"):
            assert self.run(self._intents()) == []

    @invariant()
    def nothing_begins_after_a_stop(self) -> None:
        assert self.forbidden == []

    async def _intents(self) -> list[Any]:
        async with self.database.transaction(self.tenant.caller) as session:
            return await session.rows(
                """select step, enrollment_id, occurrence, count(*) from messages group by 1, 2, 3 having count(*) > 1
                   union all
                   select step, candidate_id, occurrence, count(*) from messages
                   where state in ('scheduled', 'claimed', 'retry') group by 1, 2, 3 having count(*) > 1"""
            )


def test_any_order_of_events(database_url: str, app: FastAPI) -> None:
    assert database_url
    del app
    with asyncio.Runner() as runner:
        made = create_app(get_settings())
        machine = type("Bound", (Machine,), {"app": made, "runner": runner})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(made.state.database.close())
