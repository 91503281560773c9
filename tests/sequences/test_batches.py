"""What a batch of mails costs does not depend on how many they are: neither statements nor locks are asked for each."""

from datetime import UTC, datetime, timedelta
from typing import Final

from app.kit.db import count_statements
from app.sequences.mailer import Outcome
from app.sequences.sending import Sender
from tests.conftest import TenantFixture
from tests.sequences.conftest import World
from tests.sequences.fakes import Clock, OneTenantSender, running

SENT: Final = Outcome("sent", 250, "ok")
LATER: Final = timedelta(minutes=5)
"""So long after it was written nothing counts as written meanwhile."""
FEW: Final = 3
MANY: Final = 12


class Costs:
    """The statements of each transaction of a sender, by its name."""

    def __init__(self, world: World, time: Clock) -> None:
        self.world, self.time = world, time

    async def of(self, sender: Sender, count: int) -> dict[str, list[str]]:
        """Bring so many mails on their way, every third of them refused."""
        sequence = await self.world.sequence()
        people = [await self.world.candidate(granted=n % 3 != 0) for n in range(count)]
        await self.world.post(f"/v1/sequences/{sequence}/enrollments", {"candidate_ids": people}, 207)
        self.time.reach(self.time.now() + LATER)
        claims = await sender._claim(count)
        assert len(claims) == count
        found, seen = dict[str, list[str]](), list[str]()
        stop = count_statements(self.world.database.engine, seen)
        try:
            written = await sender._ready(claims)
            found["ask"], seen[:] = seen[:], []
            begun = await sender._begin_all(claims[0].caller, written)
            found["begin"], seen[:] = seen[:], []
            await sender._finish_all(claims[0].caller, [(each.claim, SENT) for each in written])
            found["finish"] = seen[:]
        finally:
            stop()
        assert (len(written), all(begun)) == (count * 2 // 3, True)
        return found


async def test_many_mails_cost_as_many_statements_as_few(world: World, tenant: TenantFixture) -> None:
    sender = OneTenantSender(world.database, world.mailer, tenant.id)
    with running(datetime(2027, 3, 1, 3, tzinfo=UTC)) as time:
        costs = Costs(world, time)
        await costs.of(sender, FEW)  # reads what is kept for good
        few, many = await costs.of(sender, FEW), await costs.of(sender, MANY)
    sizes = {name: len(statements) for name, statements in many.items()}
    assert sizes == {name: len(statements) for name, statements in few.items()}
    locking = {name: sum("for update" in each for each in statements) for name, statements in many.items()}
    assert locking == {"ask": 1, "begin": 1, "finish": 1}
    assert sizes["begin"] == len(["tenant", "lock", "was anything written since", "transmitting"])
