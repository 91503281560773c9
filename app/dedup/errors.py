from app.kit.errors import Invalid, NotFound


class PairNotFound(NotFound):
    """There is no such pair in this tenant."""


class SamePerson(Invalid):
    """Two ids that mean one candidate from the beginning cannot be compared."""

    code = "same_candidate"
