"""From a statement that came in to the row that it would be."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.candidates import service as candidates
from app.kit.clock import now
from app.kit.ids import new_id
from app.normalise.emails import parse_email
from app.normalise.phones import parse_phone
from app.touchpoints.agents import address_class, agent_class, method_class
from app.touchpoints.errors import InvalidEmail, InvalidPhone, UnknownType
from app.touchpoints.kinds import is_known
from app.touchpoints.row import NewTouchpoint
from app.touchpoints.schemas import EvidenceIn, ProviderTouchpointIn, TouchpointIn
from app.touchpoints.trust import ACTOR_RULE_VERSION

MESSAGE_ID_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """By what a touchpoint names its person, and which event it is."""

    source: str | None = None
    event_id: str | None = None
    candidate_id: UUID | None = None
    kind: str | None = None
    hash: bytes | None = None
    person_source: str | None = None
    value: str | None = None


@dataclass(eq=False, slots=True)
class Draft:
    """A readable item on its way: the row it would be, and by what it names its person."""

    touchpoint: NewTouchpoint
    wanted: Wanted


def draft(item: TouchpointIn, tenant_id: UUID, region: str) -> Draft:
    """Read an item; national phone numbers are those of `region`. Raises UnknownType, InvalidEmail, InvalidPhone.

    What a provider tells under a name that is none is not refused: it happened, with somebody.
    """
    if not is_known(item.type):
        raise UnknownType
    try:
        kind, source, value, key = _identifier(item, region)
    except (InvalidEmail, InvalidPhone):
        if not isinstance(item, ProviderTouchpointIn):
            raise
        kind = source = value = key = None
    digest = None if key is None else candidates.identifier_hash(tenant_id, str(kind), key)
    wanted = Wanted(item.source, item.external_id, item.candidate_id, kind, digest, source, value)
    return Draft(_row(item, wanted), wanted)


def _identifier(item: TouchpointIn, region: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Return the kind, the source, the value and the match key of an identifier."""
    if item.email is not None:
        if (email := parse_email(item.email)) is None:
            raise InvalidEmail
        return "email", None, email.value, email.key
    if item.phone is not None:
        if (phone := parse_phone(item.phone, region)) is None:
            raise InvalidPhone
        return "phone", None, phone.e164, phone.e164
    if item.person is not None:
        named = item.person.external_id
        return "external_id", named.source, named.id, candidates.external_key(named.source, named.id)
    return None, None, None, None


def _row(item: TouchpointIn, named: Wanted) -> NewTouchpoint:
    evidence = item.evidence or EvidenceIn()
    given = item.actor is not None
    return NewTouchpoint(
        id=new_id(),
        type=item.type,
        occurred_at=item.occurred_at,
        created_at=now(),
        source=item.source,
        external_id=item.external_id,
        topics=item.topics,
        data=item.data,
        message_id=_message_id(item.data.get("message_id")),
        actor=item.actor or "human",
        actor_by="given" if given else "rule",
        actor_reasons=["given"] if given else [],
        actor_rule_version=None if given else ACTOR_RULE_VERSION,
        provider_flag=evidence.flag,
        agent_class=agent_class(evidence.user_agent),
        address_class=address_class(evidence.ip),
        method_class=method_class(evidence.method),
        identifier_kind=named.kind,
        identifier_source=named.person_source,
        identifier_value=named.value,
        identifier_hash=named.hash,
    )


def _message_id(value: object) -> str | None:
    bare = value.strip().strip("<>") if isinstance(value, str) else ""
    return bare if 0 < len(bare) <= MESSAGE_ID_MAX else None
