from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Select, or_

from app.contents.errors import ContentKeyTaken
from app.contents.models import Content
from app.kit.errors import AppError
from app.kit.repository import ResourceRepository


class ContentRepository(ResourceRepository[Content]):
    model = Content
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_contents_tenant_id_key": ContentKeyTaken}

    def narrowed(self, kinds: list[str], statuses: list[str]) -> Select[Content]:
        """Select contents of any of `kinds` and any of `statuses`; none means all."""
        found = self.visible()
        if kinds:
            found = found.where(Content.kind.in_(kinds))
        if statuses:
            found = found.where(Content.status.in_(statuses))
        return found

    async def at(self, urls: Collection[str]) -> Sequence[Content]:
        """Return the contents with these addresses, archived ones too."""
        return await self.all(self.visible().where(Content.url.in_(urls)).order_by(Content.id))

    def not_over(self, found: Select[Content], at: datetime) -> Select[Content]:
        """Narrow to contents that have not expired at `at`."""
        return found.where(or_(Content.expires_at.is_(None), Content.expires_at > at))

    def among(self, ids: Collection[UUID]) -> Select[Content]:
        """Select the contents with these ids."""
        return self.visible().where(Content.id.in_(ids))
