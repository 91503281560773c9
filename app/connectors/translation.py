"""From what a provider says to a touchpoint."""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from app.connectors.signals import Evidence, ExternalId, Signal
from app.touchpoints.schemas import ExternalIdIn, PersonIn, ProviderEvidence, ProviderTouchpointIn

AGENT_MAX: Final = 2_000
IDENTIFIER_MAX: Final = 500
TOPIC_MAX: Final = 200
TOPICS_MAX: Final = 50
NOBODY: Final = {"email": None, "person": None, "phone": None}

Ways = list[ProviderTouchpointIn]
"""One touchpoint, named by each of its person's identifiers in the order in which they are tried."""


def source_of(provider: str, connection_id: UUID) -> str:
    """Return the `source` of every touchpoint that comes through this connection."""
    return f"{provider}:{connection_id}"


def touchpoints(signals: Iterable[Signal], source: str) -> tuple[list[Ways], int]:
    """Return the signals as touchpoints, and how many of them have a member that no touchpoint can hold."""
    read = [_ways(signal, source) for signal in signals]
    good = [each for each in read if each]
    return good, len(read) - len(good)


def mail_of(item: ProviderTouchpointIn) -> str | None:
    """Return the Message-ID of the mail that it tells of, without angle brackets."""
    named = item.data.get("message_id")
    return named.strip().strip("<>") if isinstance(named, str) else None


def about(item: ProviderTouchpointIn, topics: Iterable[str]) -> ProviderTouchpointIn:
    """Return it with more topics, as far as there is room."""
    united = list(dict.fromkeys([*item.topics, *topics]))[:TOPICS_MAX]
    return item if united == item.topics else item.model_copy(update={"topics": united})


def _ways(signal: Signal, source: str) -> Ways:
    try:
        named, *others = [*_names(signal)] or [{}]
        first = ProviderTouchpointIn(
            **named,
            type=signal.type,
            occurred_at=signal.occurred_at,
            source=source,
            external_id=signal.external_id,
            topics=[topic[:TOPIC_MAX] for topic in signal.topics[:TOPICS_MAX]],
            data=dict(signal.data),
            mail=signal.mail,
            evidence=_evidence(signal.evidence),
        )
    except ValidationError:
        return []
    return [first, *(first.model_copy(update={**NOBODY, **other}) for other in others)]


def _names(signal: Signal) -> Iterator[dict[str, Any]]:
    """Yield what is known of e-mail, the provider's own id, and phone."""
    if email := _short(signal.email):
        yield {"email": email}
    if signal.person is not None:
        yield {"person": _person(signal.person)}
    if phone := _short(signal.phone):
        yield {"phone": phone}


def _short(named: str | None) -> str | None:
    """Leave out what no address and no number can be: it happened with somebody, whoever that is."""
    return named if named and len(named) <= IDENTIFIER_MAX else None


def _person(named: ExternalId) -> PersonIn:
    return PersonIn(external_id=ExternalIdIn(source=named.source, id=named.id))


def _evidence(evidence: Evidence) -> ProviderEvidence:
    agent = evidence.user_agent
    return ProviderEvidence(agent and agent[:AGENT_MAX], evidence.ip, evidence.method, evidence.provider_flag)
