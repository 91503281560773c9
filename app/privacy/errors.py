from app.kit.errors import Conflict, NotFound


class ErasureNotFound(NotFound):
    """There is no such erasure in this tenant."""


class AckTaken(Conflict):
    """This system has acknowledged the erasure already."""

    code = "already_acknowledged"
