from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_

from app.kit.columns import Target, insert
from app.kit.paging import Paging
from app.kit.repository import ResourceRepository
from app.merges.models import Merge

_MERGES: Final = Target(
    "merges",
    (
        *((name, "uuid") for name in ("id", "survivor_id", "loser_id")),
        *((name, "text") for name in ("by", "state", "actor")),
        *((name, "jsonb") for name in ("plan", "kept")),
        ("created_at", "timestamptz"),
    ),
)


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

    async def write(self, merges: Sequence[Merge]) -> None:
        """Insert new merges."""
        columns = {name: [getattr(each, name) for each in merges] for name, _ in _MERGES.columns}
        sql, values = insert(_MERGES, columns)
        await self.session.run(sql, **values)

    async def stands_below(self, merge: Merge) -> bool:
        """Whether a newer merge, not undone, is into the same survivor."""
        newer = (Merge.survivor_id == merge.survivor_id, Merge.state == "done", Merge.id > merge.id)
        return await self.first(self.visible().where(*newer)) is not None

    async def forget(self, ids: Collection[UUID]) -> int:
        """Empty what merges with these candidates foresaw and kept, and what others kept of pairs with them.

        Returns how many merges they had a part in.
        """
        merges = await self.session.run(
            "update merges set plan = '{}', kept = '{}' where survivor_id = any(:ids) or loser_id = any(:ids)",
            ids=list(ids),
        )
        await self.session.run(_FORGET_PAIRS, texts=[str(each) for each in ids])
        return merges


_FORGET_PAIRS: Final = """
update merges set kept = jsonb_set(kept, '{matching,pairs}', coalesce((
    select jsonb_agg(pair) from jsonb_array_elements(kept #> '{matching,pairs}') as pair
    where not (pair ->> 'left_id' = any(:texts) or pair ->> 'right_id' = any(:texts))), '[]'))
where exists (
  select from jsonb_array_elements(kept #> '{matching,pairs}') as pair
  where pair ->> 'left_id' = any(:texts) or pair ->> 'right_id' = any(:texts))
"""
