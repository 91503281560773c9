from app.kit.errors import Conflict, Invalid, NotFound


class PoolNotFound(NotFound):
    """There is no such pool in this tenant."""


class PoolKeyTaken(Conflict):
    """Another pool of this tenant has this key."""

    code = "key_taken"


class CriteriaInvalid(Invalid):
    """The criteria are not well formed, or ask what cannot be asked."""

    code = "criteria_invalid"


class CriteriaCycle(Invalid):
    """The criteria name pools that, by their own criteria, lead back to this one."""

    code = "criteria_cycle"


class NotAMember(NotFound):
    """This candidate is not a member of the pool."""


class NotDecided(NotFound):
    """Nothing was decided by hand about this candidate."""


class NotLeased(NotFound):
    """Nobody has this candidate in hand."""


class LeaseInPast(Invalid):
    """A lease ends in the future."""

    code = "lease_in_past"
