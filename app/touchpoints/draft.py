"""From a statement that came in to the row that it would be."""

from datetime import datetime
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.normalise.emails import parse_email
from app.normalise.phones import parse_phone
from app.touchpoints.agents import AddressClass, AgentClass, MethodClass, address_class, agent_class, method_class
from app.touchpoints.errors import InvalidEmail, InvalidPhone, UnknownType
from app.touchpoints.kinds import is_known
from app.touchpoints.row import NOBODY, Name, NewTouchpoint
from app.touchpoints.schemas import EvidenceIn, ProviderEvidence, ProviderTouchpointIn, TouchpointIn
from app.touchpoints.trust import ACTOR_RULE_VERSION, ProviderFlag

MESSAGE_ID_MAX: Final = 500
Classes = tuple[ProviderFlag | None, AgentClass, AddressClass, MethodClass]
_NOTHING: Final[Classes] = (None, "none", "none", "none")
_BY_RULE: Final = ("rule", (), ACTOR_RULE_VERSION)
_GIVEN: Final = ("given", ("given",), None)


def draft(item: TouchpointIn, id_: UUID, moment: datetime, tenant_id: UUID, region: str) -> NewTouchpoint:
    """Read an item that came at `moment`; national phone numbers are those of `region`.

    Raises UnknownType, InvalidEmail, InvalidPhone. What a provider tells under a name that is none is not refused: it
    happened, with somebody.
    """
    if not is_known(item.type):
        raise UnknownType
    try:
        name = _name(item, tenant_id, region)
    except (InvalidEmail, InvalidPhone):
        if not isinstance(item, ProviderTouchpointIn):
            raise
        name = NOBODY
    evidence = item.evidence
    by, reasons, version = _BY_RULE if item.actor is None else _GIVEN
    return NewTouchpoint(
        id_,
        moment,
        item.type,
        item.occurred_at,
        item.source,
        item.external_id,
        item.topics,
        item.data,
        _message_id(item.told_of),
        item.actor or "human",
        by,
        reasons,
        version,
        *(_NOTHING if evidence is None else _classes(evidence)),
        name,
    )


def _classes(evidence: EvidenceIn | ProviderEvidence) -> Classes:
    agent, address = agent_class(evidence.user_agent), address_class(evidence.ip)
    return evidence.flag, agent, address, method_class(evidence.method)


def _name(item: TouchpointIn, tenant_id: UUID, region: str) -> Name:
    if item.candidate_id is not None:
        return Name(item.candidate_id)
    if item.email is not None:
        if (email := parse_email(item.email)) is None:
            raise InvalidEmail
        return _identifier(tenant_id, "email", None, email.value, email.key)
    if item.phone is not None:
        if (phone := parse_phone(item.phone, region)) is None:
            raise InvalidPhone
        return _identifier(tenant_id, "phone", None, phone.e164, phone.e164)
    if item.person is not None:
        named = item.person.external_id
        key = candidates.external_key(named.source, named.id)
        return _identifier(tenant_id, "external_id", named.source, named.id, key)
    return NOBODY


def _identifier(tenant_id: UUID, kind: str, source: str | None, value: str, key: str) -> Name:
    return Name(None, kind, source, value, candidates.identifier_hash(tenant_id, kind, key))


def _message_id(value: object) -> str | None:
    bare = value.strip().strip("<>") if isinstance(value, str) else ""
    return bare if 0 < len(bare) <= MESSAGE_ID_MAX else None
