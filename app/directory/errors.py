from app.kit.errors import Conflict, Invalid, NotFound


class FilterInvalid(Invalid):
    """A filter has a value that it cannot have."""

    code = "invalid_filter"


class ViewInvalid(Invalid):
    """A member was asked for that a candidate does not have."""

    code = "unknown_field"


class SavedSearchNotFound(NotFound):
    """There is no such saved search in this tenant."""


class SavedSearchKeyTaken(Conflict):
    """Another saved search of this tenant has this key."""

    code = "key_taken"
