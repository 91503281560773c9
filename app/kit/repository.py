"""What every repository stands on: `visible()` is where each select begins."""

from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from app.kit.db import Session
from app.kit.errors import AppError
from app.kit.models import Identified, Tenanted
from app.kit.paging import TOTAL_MAX, Paging

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

    async def how_many(self, found: Select[Any]) -> int:
        """Return how many rows `found` has, up to one more than a total says."""
        some = found.order_by(None).limit(TOTAL_MAX + 1).subquery()
        return await self.session.scalar(some.select().with_only_columns(func.count(), maintain_column_froms=True)) or 0

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
        """Return the row with this id, when `lock` as it is now and locked until the transaction's end."""
        statement = self.visible().where(self.model.id == resource_id)
        if lock:  # what the session read before it waited for the lock may be old
            statement = statement.with_for_update().execution_options(populate_existing=True)
        return await self.first(statement)

    async def newest(self, found: Select[R], paging: Paging, *bound_to: Any) -> tuple[list[R], int | None]:  # noqa: ANN401 (filters are any JSON values)
        """Return one row more than a page of `found`, the newest first, and how many there are when that was asked.

        Raises CursorInvalid, CursorMismatch.
        """
        after = paging.after(*bound_to)
        ordered = found.order_by(self.model.id.desc()).limit(paging.limit + 1)
        rows = await self.all(ordered if after is None else ordered.where(self.model.id < UUID(after[0])))
        return rows, await self.how_many(found) if paging.include_total else None
