"""A touchpoint on its way into the table: light, because they come by the thousand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.touchpoints.agents import AddressClass, AgentClass, MethodClass
from app.touchpoints.trust import Actor, ProviderFlag


@dataclass(eq=False, slots=True, kw_only=True)
class NewTouchpoint:
    """The columns of the table under their names."""

    id: UUID
    created_at: datetime
    type: str
    occurred_at: datetime
    source: str
    external_id: str | None
    topics: list[str]
    data: dict[str, Any]
    message_id: str | None
    actor: Actor
    actor_by: str
    actor_reasons: list[str]
    actor_rule_version: int | None
    provider_flag: ProviderFlag | None
    agent_class: AgentClass
    address_class: AddressClass
    method_class: MethodClass
    identifier_kind: str | None
    identifier_source: str | None
    identifier_value: str | None
    identifier_hash: bytes | None
    connection_id: UUID | None = None
    delivery_id: UUID | None = None
    candidate_id: UUID | None = None
    arrived_with: UUID | None = None
    unmatched_reason: str | None = None
    seconds_since_delivery: float | None = None

    @property
    def url(self) -> Any:  # noqa: ANN401 (a member of free data)
        return self.data.get("url")

    def columns(self) -> dict[str, Any]:
        """Return what is set, by column."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in found.items() if value is not None}
