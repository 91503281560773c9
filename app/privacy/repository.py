from collections.abc import Collection, Mapping
from typing import ClassVar
from uuid import UUID

from app.candidates.erasing import Traces, patterns
from app.kit.errors import AppError
from app.kit.paging import Paging
from app.kit.repository import Repository, ResourceRepository
from app.privacy.errors import AckTaken
from app.privacy.models import Erasure, ErasureAck


class ErasureRepository(ResourceRepository[Erasure]):
    model = Erasure

    async def page(self, paging: Paging) -> tuple[list[Erasure], int | None]:
        """Return erasures, the newest first."""
        return await self.newest(self.visible(), paging, "erasures")

    async def forget_answers(self, found: Traces) -> int:
        """Delete the stored answers of keyed requests that name a person; return how many there were."""
        return await self.session.run(
            """delete from idempotency_keys
               where lower(encode(body, 'escape')) like any(:patterns) or lower(headers::text) like any(:patterns)""",
            patterns=patterns({*found.addresses, *map(str, found.ids)}),
        )


class AckRepository(Repository[ErasureAck]):
    model = ErasureAck
    conflicts: ClassVar[dict[str, type[AppError]]] = {"uq_erasure_acks_tenant_id_erasure_id_system": AckTaken}

    async def of(self, erasures: Collection[UUID]) -> Mapping[UUID, list[ErasureAck]]:
        """Return erasure → its acknowledgements, the oldest first."""
        found: dict[UUID, list[ErasureAck]] = {each: [] for each in erasures}
        for row in await self.all(self.visible().where(ErasureAck.erasure_id.in_(erasures)).order_by(ErasureAck.id)):
            found[row.erasure_id].append(row)
        return found
