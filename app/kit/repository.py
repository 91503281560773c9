"""What every repository stands on: `visible()` is where each select begins."""

from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.models import Identified, Tenanted

M = TypeVar("M", bound=Tenanted)
R = TypeVar("R", bound=Identified)


class Repository(Generic[M]):
    """Reads and writes one table inside the caller's tenant."""

    model: type[M]
    conflicts: ClassVar[dict[str, type[AppError]]] = {}
    """Constraint name → the error that its violation means."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def visible(self) -> Select[M]:
        """Select the rows that this tenant may see; row-level security holds the same line."""
        return select(self.model).where(self.model.tenant_id == self.session.tenant_id)

    async def all(self, statement: Select[Any]) -> list[M]:
        """Run `statement` and return its entities."""
        return list((await self.session.scalars(statement)).all())

    async def first(self, statement: Select[Any]) -> M | None:
        """Run `statement` and return its first entity."""
        return (await self.session.scalars(statement.limit(1))).first()

    async def add(self, *entities: M) -> None:
        """Write new rows now; a violated constraint raises the slice's error that `conflicts` names."""
        for entity in entities:
            entity.tenant_id = self.session.tenant_id
        self.session.add_all(entities)
        await self.save()

    async def save(self) -> None:
        """Flush what changed; a violated constraint raises the slice's error that `conflicts` names."""
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise self._meaning(error) from error

    def _meaning(self, error: IntegrityError) -> Exception:
        name = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
        conflict = self.conflicts.get(name or "")
        return conflict() if conflict else error


class ResourceRepository(Repository[R]):
    """A repository of rows with ids."""

    async def get(self, resource_id: UUID, *, lock: bool = False) -> R | None:
        """Return the row with this id, locked until the transaction's end when `lock`."""
        statement = self.visible().where(self.model.id == resource_id)
        return await self.first(statement.with_for_update() if lock else statement)
