"""A touchpoint on its way into the table: light, because they come by the thousand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.touchpoints.agents import AddressClass, AgentClass, MethodClass
from app.touchpoints.trust import Actor, ProviderFlag


class Name(NamedTuple):
    """By what a touchpoint names its person: a candidate's id or an identifier; `source` is whose an external id is."""

    id: UUID | None = None
    kind: str | None = None
    source: str | None = None
    value: str | None = None
    hash: bytes | None = None

    @property
    def external_id(self) -> str | None:
        return None if self.source is None else self.value


NOBODY: Final = Name()


@dataclass(eq=False, slots=True)
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
    actor_reasons: tuple[str, ...]
    actor_rule_version: int | None
    provider_flag: ProviderFlag | None
    agent_class: AgentClass
    address_class: AddressClass
    method_class: MethodClass
    name: Name
    connection_id: UUID | None = None
    delivery_id: UUID | None = None
    candidate_id: UUID | None = None
    arrived_with: UUID | None = None
    unmatched_reason: str | None = None
    seconds_since_delivery: float | None = None

    @property
    def event(self) -> tuple[str, str] | None:
        """What names the event for ever, where that is known."""
        return None if self.external_id is None else (self.source, self.external_id)

    @property
    def url(self) -> Any:  # noqa: ANN401 (a member of free data)
        return self.data.get("url")

    @property
    def identifier_kind(self) -> str | None:
        return self.name.kind

    @property
    def identifier_source(self) -> str | None:
        return self.name.source

    @property
    def identifier_value(self) -> str | None:
        return self.name.value

    @property
    def identifier_hash(self) -> bytes | None:
        return self.name.hash

    @property
    def identifier(self) -> dict[str, str] | None:
        return shown(self.name)

    @property
    def received_at(self) -> datetime:
        return self.created_at


def shown(name: Name) -> dict[str, str] | None:
    """Return how the person was named, as it is answered: an external id is `source:id`."""
    if name.kind is None or name.value is None:
        return None
    return {"kind": name.kind, "value": name.value if name.source is None else f"{name.source}:{name.value}"}
