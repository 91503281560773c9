from app.kit.errors import Conflict, NotFound


class ContentNotFound(NotFound):
    """There is no such content in this tenant."""


class ContentKeyTaken(Conflict):
    """Another content has this key."""

    code = "key_taken"
