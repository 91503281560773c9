from app.kit.errors import NotFound


class CandidateNotFound(NotFound):
    """There is no such candidate in this tenant."""


class CandidateErased(NotFound):
    """This candidate was erased; nothing about them is kept."""

    code = "erased"
