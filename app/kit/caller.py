"""Who is acting: the one fact that every transaction, write and audit row carries."""

from dataclasses import dataclass, field
from uuid import UUID

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """One tenant's API key, person or process.

    `actor` is written on what it changes: `key:<id>`, `user:<id>`, `system:<what>`. `origins` are those whose pages may
    read what is answered.
    """

    tenant_id: UUID
    actor: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    key_id: UUID | None = None
    act_as: str | None = None
    request_id: str | None = None
    origins: frozenset[str] = frozenset()

    def may(self, scope: str) -> bool:
        """Whether `scope` (`area:read` or `area:write`) is granted, by itself, by `area:*` or by `admin`."""
        area = scope.partition(":")[0]
        return bool(self.scopes & {scope, f"{area}:*", ADMIN})

    @property
    def holder(self) -> str:
        """Who holds a lease: the person the key acts for, else the key."""
        return self.act_as or self.actor


def system(tenant_id: UUID, what: str) -> Caller:
    """Return the caller that a process of ours is inside one tenant."""
    return Caller(tenant_id=tenant_id, actor=f"system:{what}", scopes=frozenset({ADMIN}))
