"""Which providers there are, and what a connection to each asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from app.connectors import generic, sendgrid
from app.connectors.signals import Provider
from app.kit.schemas import Body

CENTURY_S: Final = 3_155_760_000


class SignedTimeSettings(Body):
    """Of a provider that signs the time of the call."""

    tolerance_s: float | None = Field(
        None,
        ge=0,
        le=CENTURY_S,
        description="How far the signed time may be from now, past or future, in seconds.",
    )


class NoSettings(Body):
    """Of a provider that needs no more than its secret."""


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """One provider: its file, what its settings are, and whether a text may be a secret of its."""

    key: str
    name: str
    kind: Literal["webhook", "poll", "file"]
    hook: Provider
    settings: type[Body]
    secret_hint: str
    accepts_secret: Callable[[str], bool] | None
    """None: a connection has no secret."""
    event_types: tuple[str, ...]
    """The types of touchpoints that its signals become."""


PROVIDERS: Final = {
    provider.key: provider
    for provider in (
        KnownProvider(
            key="sendgrid",
            name="SendGrid",
            kind="webhook",
            hook=sendgrid,
            settings=SignedTimeSettings,
            secret_hint="The verification key of the signed event webhook: a P-256 public key, base64 of DER.",  # noqa: S106 (says what one is)
            accepts_secret=sendgrid.accepts_secret,
            event_types=sendgrid.EVENT_TYPES,
        ),
        KnownProvider(
            key="generic",
            name="Any other sender",
            kind="webhook",
            hook=generic,
            settings=generic.GenericSettings,
            secret_hint="What the header holds: 16 or more characters of ASCII.",  # noqa: S106 (says what one is)
            accepts_secret=generic.accepts_secret,
            event_types=generic.EVENT_TYPES,
        ),
    )
}
