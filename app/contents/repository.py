from typing import ClassVar
from uuid import UUID

from app.contents.errors import ContentKeyTaken
from app.contents.models import Content
from app.kit.errors import AppError
from app.kit.repository import ResourceRepository


class ContentRepository(ResourceRepository[Content]):
    model = Content
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_contents_tenant_id_key": ContentKeyTaken}

    async def page(self, kinds: list[str], statuses: list[str], after: UUID | None, limit: int) -> list[Content]:
        """Return contents, the newest first."""
        found = self.visible().order_by(Content.id.desc()).limit(limit)
        if kinds:
            found = found.where(Content.kind.in_(kinds))
        if statuses:
            found = found.where(Content.status.in_(statuses))
        if after is not None:
            found = found.where(Content.id < after)
        return await self.all(found)
