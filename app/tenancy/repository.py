from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError

from app.kit.clock import now
from app.kit.db import Session
from app.kit.repository import Repository
from app.tenancy.errors import TenantNameTaken
from app.tenancy.models import ApiKey, Tenant


class TenantRepository:
    """The one row that is the tenant itself."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def visible(self) -> Select[Tenant]:
        return select(Tenant).where(Tenant.id == self.session.tenant_id)

    async def get(self, *, lock: bool = False) -> Tenant:
        statement = self.visible().with_for_update() if lock else self.visible()
        return (await self.session.scalars(statement)).one()

    async def save(self) -> None:
        """Write what changed; raises TenantNameTaken, for a name is all that tenants have between them."""
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise TenantNameTaken from error


class ApiKeyRepository(Repository[ApiKey]):
    model = ApiKey

    def live(self) -> Select[ApiKey]:
        return self.visible().where(or_(ApiKey.revoked_at.is_(None), ApiKey.revoked_at > now()))

    async def secrets_of(self, key_id: UUID) -> Sequence[ApiKey]:
        """Return the live secrets of a key, the newest first."""
        return await self.all(self.live().where(ApiKey.key_id == key_id).order_by(ApiKey.id.desc()))

    def newest_secrets(self) -> Select[ApiKey]:
        """Select the newest live secret of each key, the newest key first."""
        return self.live().order_by(ApiKey.key_id.desc(), ApiKey.id.desc()).ext(distinct_on(ApiKey.key_id))

    async def page(self, after: UUID | None, limit: int) -> Sequence[ApiKey]:
        """Return the newest live secret of each key, the newest key first."""
        newest = self.newest_secrets()
        if after is not None:
            newest = newest.where(ApiKey.key_id < after)
        return await self.all(newest.limit(limit))
