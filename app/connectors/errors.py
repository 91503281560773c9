from app.kit.errors import (
    AppError,
    Conflict,
    FieldError,
    Invalid,
    NotFound,
    TooManyRequests,
    Unavailable,
)


class ConnectionNotFound(NotFound):
    """There is no such connection in this tenant."""


class DeliveryNotFound(NotFound):
    """There is no such delivery at this connection."""


class HookNotFound(NotFound):
    """There is no connection under this address, or it is disabled."""


class UnknownProvider(Invalid):
    """The provider is none of those that GET /v1/providers lists."""

    code = "unknown_provider"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/provider", self.code, self.sentence())])


class SecretInvalid(Invalid):
    """The secret does not have the form that this provider's secrets have, or it has none."""

    code = "secret_invalid"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/secret", self.code, self.sentence())])


class NotRedrivable(Conflict):
    """The body of this call is not kept: it was refused, was a repeat, or is older than 30 days."""

    code = "not_redrivable"


class HookRefused(AppError):
    """The call is not signed as this connection's provider signs, or its signed time is too far from now."""

    code, status, title = "hook_refused", 401, "Unauthorized"


class Overloaded(TooManyRequests):
    """More calls arrive than can be stored at once; send it again after Retry-After seconds."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class ProviderAway(Unavailable):
    """What this call must be checked with could not be fetched from its provider; send it again after Retry-After."""

    code = "provider_away"


class ProviderRefused(AppError):
    """The provider does not take the secret of this connection."""

    code, status, title = "provider_refused", 502, "Bad Gateway"


class SettingsInvalid(Invalid):
    """The settings do not have the shape that this provider's settings have."""
