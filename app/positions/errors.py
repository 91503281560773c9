from app.kit.errors import Invalid, NotFound


class PositionNotFound(NotFound):
    """There is no such position in this tenant."""


class TooManyWishes(Invalid):
    """A position has at most 50 wishes."""

    code = "too_many_wishes"
