from app.kit.errors import Invalid, NotFound


class ApiKeyNotFound(NotFound):
    """There is no such API key in this tenant."""


class UnknownScope(Invalid):
    """A scope is `<area>:read`, `<area>:write`, `<area>:*` or `admin`."""

    code = "unknown_scope"


class ScopeNotHeld(Invalid):
    """A key can grant only scopes that it holds itself."""

    code = "scope_not_held"
