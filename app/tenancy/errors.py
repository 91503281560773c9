from app.kit.errors import Conflict, Invalid, NotFound


class ApiKeyNotFound(NotFound):
    """There is no such API key in this tenant."""


class TenantNameTaken(Conflict):
    """Another tenant of this service has this name."""

    code = "name_taken"


class UnknownScope(Invalid):
    """A scope is `<area>:read`, `<area>:write`, `<area>:*` or `admin`."""

    code = "unknown_scope"


class ScopeNotHeld(Invalid):
    """A key can grant only scopes that it holds itself."""

    code = "scope_not_held"
