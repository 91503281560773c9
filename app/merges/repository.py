from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import or_

from app.kit.paging import Paging
from app.kit.repository import ResourceRepository
from app.merges.models import Merge


class MergeRepository(ResourceRepository[Merge]):
    model = Merge

    async def page(
        self,
        candidates: Collection[UUID],
        paging: Paging,
        *bound_to: Any,  # noqa: ANN401 (filters are any JSON values)
    ) -> tuple[list[Merge], int | None]:
        """Return merges in which any of these candidates survived or lost, all without one; the newest first."""
        found = self.visible()
        if candidates:
            found = found.where(or_(Merge.survivor_id.in_(candidates), Merge.loser_id.in_(candidates)))
        return await self.newest(found, paging, *bound_to)

    async def stands_below(self, merge: Merge) -> bool:
        """Whether a newer merge, not undone, is into the same survivor."""
        newer = (Merge.survivor_id == merge.survivor_id, Merge.state == "done", Merge.id > merge.id)
        return await self.first(self.visible().where(*newer)) is not None

    async def forget(self, candidate_id: UUID) -> int:
        """Forget what merges with a candidate knew of fields, and how to undo them; return how many there were."""
        return await self.session.run(
            """update merges set plan = plan || '{"fields": {}}', kept = '{}'
               where survivor_id = :id or loser_id = :id""",
            id=candidate_id,
        )
