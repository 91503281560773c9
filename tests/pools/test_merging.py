"""What was decided by hand follows a person through a merge and back."""

from uuid import UUID

from app.kit import json
from app.kit.clock import now
from app.kit.db import Database
from app.pools import service
from app.pools.repository import OverrideRepository
from tests.conftest import TenantFixture
from tests.pools.conftest import Recruiter


async def test_absorb_and_release_are_each_others_inverse(
    recruiter: Recruiter, database: Database, tenant: TenantFixture
) -> None:
    left, right = [UUID(await recruiter.person(name)) for name in ("Ada", "Bob")]
    pools = [await recruiter.pool(key, {"any": []}) for key in ("a", "b")]
    for pool, person, membership in (
        (pools[0], left, "include"),
        (pools[0], right, "exclude"),
        (pools[1], right, "include"),
    ):
        path = f"/v1/pools/{pool}/members/{person}"
        assert (await recruiter.api.put(path, json={"membership": membership})).status_code == 200
    async with database.transaction(tenant.caller) as session:
        found = OverrideRepository(session)

        async def decided() -> set[tuple[UUID, UUID, str]]:
            return {(each.pool_id, each.candidate_id, each.membership) for each in await found.of_people([left, right])}

        before = await decided()
        merged_at = now()
        assert await service.opposed(session, {right: left}) == {right: [UUID(pools[0])]}
        were = json.loads(json.dumps((await service.absorb(session, {right: left}))[right]))
        session.expire_all()
        assert await decided() == {(UUID(pools[0]), left, "include"), (UUID(pools[1]), left, "include")}
        assert await service.release(session, left, [right], merged_at, were) == []
        assert await decided() == before
        assert await service.erase(session, right) == 3
        assert {person for _, person, _ in await decided()} == {left}
