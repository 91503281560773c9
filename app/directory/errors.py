from app.kit.errors import Invalid


class FilterInvalid(Invalid):
    """A filter has a value that it cannot have."""

    code = "invalid_filter"
