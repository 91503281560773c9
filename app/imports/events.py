from collections.abc import Mapping
from uuid import UUID

from app.kit.outbox import Event

RESOURCE = "import"


def completed(import_id: UUID, version: int, counts: Mapping[str, int]) -> Event:
    return Event("import.completed", RESOURCE, import_id, version, ["state"], {"counts": dict(counts)})


def undone(import_id: UUID, version: int, conflicts: int) -> Event:
    return Event("import.undone", RESOURCE, import_id, version, ["state"], {"conflicts": conflicts})
