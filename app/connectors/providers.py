"""Which providers there are, and what a connection to each asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from app.connectors import (
    attendee_list,
    brevo,
    calendly,
    connpass,
    customerio,
    eventbrite,
    generic,
    hmac_signature,
    hubspot,
    luma,
    mailgun,
    mandrill,
    postmark,
    resend,
    sendgrid,
    ses,
    standard_webhooks,
    zoom,
)
from app.connectors.signals import Provider
from app.kit.schemas import Body

CENTURY_S: Final = 3_155_760_000
TOPICS_MAX: Final = 20
Topic = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Nickname = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\s/]+$")]


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


class StandardWebhooksSettings(SignedTimeSettings, generic.MappedSettings):
    """Of a sender that signs by the standard; a mapping says what its JSON means."""


class ListSettings(Body):
    """Of a provider of lists of people at events."""

    topics: Annotated[list[Topic], Field(max_length=TOPICS_MAX)] | None = Field(
        None, description="What these events are about; every touchpoint has these topics, too."
    )


class EventSettings(ListSettings):
    """Of a provider that tells who registers."""

    create_candidates: bool | None = Field(None, description="Whether who registers and is not known comes in.")


class SignedEventSettings(SignedTimeSettings, EventSettings):
    """Of a provider of events that signs the time of the call."""


class EventbriteSettings(EventSettings):
    """The token is kept like a secret, and is in no answer."""

    token: str | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="With it objects are read at Eventbrite's own host.",
        json_schema_extra={"writeOnly": True},
    )


class ConnpassSettings(ListSettings):
    """Whose events are asked for: of everybody with an external id of source `connpass`, and of these."""

    nicknames: Annotated[list[Nickname], Field(max_length=1_000)] | None = None
    groups: Annotated[list[Nickname], Field(max_length=100)] | None = Field(
        None, description="Sub-domains of the groups whose events count; all, when absent."
    )
    every_h: float | None = Field(
        None, ge=1, le=168, description="Hours between two rounds of questions; 6, when absent."
    )


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
    secret_setting: str | None = None
    """The setting that is its secret, in place of the secret itself."""


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
            key="mailgun",
            name="Mailgun",
            kind="webhook",
            hook=mailgun,
            settings=SignedTimeSettings,
            secret_hint="The HTTP webhook signing key.",  # noqa: S106 (says what one is)
            accepts_secret=mailgun.accepts_secret,
            event_types=mailgun.EVENT_TYPES,
        ),
        KnownProvider(
            key="postmark",
            name="Postmark",
            kind="webhook",
            hook=postmark,
            settings=NoSettings,
            secret_hint="user:password, as they stand in the address of the webhook.",  # noqa: S106 (says what one is)
            accepts_secret=postmark.accepts_secret,
            event_types=postmark.EVENT_TYPES,
        ),
        KnownProvider(
            key="resend",
            name="Resend",
            kind="webhook",
            hook=resend,
            settings=SignedTimeSettings,
            secret_hint="The signing secret of the webhook: whsec_ and base64.",  # noqa: S106 (says what one is)
            accepts_secret=resend.accepts_secret,
            event_types=resend.EVENT_TYPES,
        ),
        KnownProvider(
            key="standard_webhooks",
            name="Any sender that follows Standard Webhooks",
            kind="webhook",
            hook=standard_webhooks,
            settings=StandardWebhooksSettings,
            secret_hint="The signing secret: whsec_ and base64.",  # noqa: S106 (says what one is)
            accepts_secret=standard_webhooks.accepts_secret,
            event_types=standard_webhooks.EVENT_TYPES,
        ),
        KnownProvider(
            key="brevo",
            name="Brevo",
            kind="webhook",
            hook=brevo,
            settings=brevo.BrevoSettings,
            secret_hint="user:password, or the token where `settings.auth` is bearer.",  # noqa: S106 (says what one is)
            accepts_secret=brevo.accepts_secret,
            event_types=brevo.EVENT_TYPES,
        ),
        KnownProvider(
            key="mandrill",
            name="Mandrill",
            kind="webhook",
            hook=mandrill,
            settings=NoSettings,
            secret_hint="The webhook's key.",  # noqa: S106 (says what one is)
            accepts_secret=mandrill.accepts_secret,
            event_types=mandrill.EVENT_TYPES,
        ),
        KnownProvider(
            key="customerio",
            name="Customer.io",
            kind="webhook",
            hook=customerio,
            settings=SignedTimeSettings,
            secret_hint="The signing key of the reporting webhook.",  # noqa: S106 (says what one is)
            accepts_secret=customerio.accepts_secret,
            event_types=customerio.EVENT_TYPES,
        ),
        KnownProvider(
            key="hubspot",
            name="HubSpot",
            kind="webhook",
            hook=hubspot,
            settings=SignedTimeSettings,
            secret_hint="The app's client secret.",  # noqa: S106 (says what one is)
            accepts_secret=hubspot.accepts_secret,
            event_types=hubspot.EVENT_TYPES,
        ),
        KnownProvider(
            key="ses",
            name="Amazon SES",
            kind="webhook",
            hook=ses,
            settings=ses.SesSettings,
            secret_hint="None: a message is checked with a certificate of Amazon.",  # noqa: S106 (says what one is)
            accepts_secret=None,
            event_types=ses.EVENT_TYPES,
        ),
        KnownProvider(
            key="zoom",
            name="Zoom webinars",
            kind="webhook",
            hook=zoom,
            settings=SignedEventSettings,
            secret_hint="The secret token of the app's event subscription.",  # noqa: S106 (says what one is)
            accepts_secret=zoom.accepts_secret,
            event_types=zoom.EVENT_TYPES,
        ),
        KnownProvider(
            key="calendly",
            name="Calendly",
            kind="webhook",
            hook=calendly,
            settings=SignedEventSettings,
            secret_hint="The signing key that the webhook subscription was made with.",  # noqa: S106 (says what one is)
            accepts_secret=calendly.accepts_secret,
            event_types=calendly.EVENT_TYPES,
        ),
        KnownProvider(
            key="luma",
            name="Luma",
            kind="webhook",
            hook=luma,
            settings=SignedEventSettings,
            secret_hint="The webhook's secret: whsec_ and what follows.",  # noqa: S106 (says what one is)
            accepts_secret=luma.accepts_secret,
            event_types=luma.EVENT_TYPES,
        ),
        KnownProvider(
            key="eventbrite",
            name="Eventbrite",
            kind="webhook",
            hook=eventbrite,
            settings=EventbriteSettings,
            secret_hint="None: `settings.token` is kept like one.",  # noqa: S106 (says what one is)
            accepts_secret=hmac_signature.accepts_secret,
            event_types=eventbrite.EVENT_TYPES,
            secret_setting="token",  # noqa: S106 (where it stands)
        ),
        KnownProvider(
            key="connpass",
            name="connpass",
            kind="poll",
            hook=connpass,
            settings=ConnpassSettings,
            secret_hint="The key of the API, version 2.",  # noqa: S106 (says what one is)
            accepts_secret=connpass.accepts_secret,
            event_types=connpass.EVENT_TYPES,
        ),
        KnownProvider(
            key="peatix",
            name="Peatix",
            kind="file",
            hook=attendee_list,
            settings=ListSettings,
            secret_hint="None: lists are uploaded to /v1/imports, with this connection's id.",  # noqa: S106 (says that there is none)
            accepts_secret=None,
            event_types=attendee_list.EVENT_TYPES,
        ),
        KnownProvider(
            key="doorkeeper",
            name="Doorkeeper",
            kind="file",
            hook=attendee_list,
            settings=ListSettings,
            secret_hint="None: lists are uploaded to /v1/imports, with this connection's id.",  # noqa: S106 (says that there is none)
            accepts_secret=None,
            event_types=attendee_list.EVENT_TYPES,
        ),
        KnownProvider(
            key="generic",
            name="Any other sender",
            kind="webhook",
            hook=generic,
            settings=generic.GenericSettings,
            secret_hint="What the header holds: printable ASCII, no blank at its ends.",  # noqa: S106 (says what one is)
            accepts_secret=generic.accepts_secret,
            event_types=generic.EVENT_TYPES,
        ),
    )
}
