from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError

from app.kit.clock import now
from app.kit.db import Session
from app.kit.repository import Repository
from app.tenancy.errors import TenantNameTaken
from app.tenancy.models import ApiKey, AuditEntry, Tenant
from app.tenancy.schemas import AuditFilter, TenantRead

_SETTINGS: Final = ", ".join(TenantRead.model_fields)


class TenantRepository:
    """The one row that is the tenant itself."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def visible(self) -> Select[Tenant]:
        return select(Tenant).where(Tenant.id == self.session.tenant_id)

    async def get(self, *, lock: bool = False) -> Tenant:
        statement = self.visible().with_for_update() if lock else self.visible()
        return (await self.session.scalars(statement)).one()

    async def settings(self) -> Any:  # noqa: ANN401 (a row)
        """Return the members of TenantRead, without an object to change."""
        return await self.session.row(f"select {_SETTINGS} from tenants where id = :id", id=self.session.tenant_id)  # noqa: S608 (constants)

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


class AuditRepository(Repository[AuditEntry]):
    model = AuditEntry

    def asked(self, narrowed: AuditFilter) -> Select[AuditEntry]:
        """Select what the filter asks for, the newest first."""
        found = self.visible()
        for name in ("kind", "actor", "act_as", "action", "resource", "recipient"):
            if values := getattr(narrowed, name):
                found = found.where(getattr(AuditEntry, name).in_(values))
        if narrowed.candidate_id is not None:  # by a function: the policy keeps arrays from their index
            rows = func.audit_route(narrowed.candidate_id).table_valued("n").render_derived()
            found = found.where(AuditEntry.n.in_(rows.select()))
        if narrowed.at_gte is not None:
            found = found.where(AuditEntry.at >= narrowed.at_gte)
        if narrowed.at_lt is not None:
            found = found.where(AuditEntry.at < narrowed.at_lt)
        return found.order_by(AuditEntry.n.desc())

    async def page(self, narrowed: AuditFilter, after: int | None, limit: int) -> list[AuditEntry]:
        """Return entries, the newest first."""
        found = self.asked(narrowed) if after is None else self.asked(narrowed).where(AuditEntry.n < after)
        return await self.all(found.limit(limit))
