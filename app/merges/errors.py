from app.kit.errors import Conflict, Invalid, NotFound


class MergeNotFound(NotFound):
    """There is no such merge in this tenant."""


class RecordNotFound(NotFound):
    """This candidate has no such record."""


class MergeItself(Invalid):
    """A candidate cannot be merged with itself."""

    code = "itself"


class AlreadyMerged(Conflict):
    """The loser is part of another candidate already."""

    code = "already_merged"


class PlanStale(Conflict):
    """One of the two has changed since the preview; nothing was merged."""

    code = "plan_stale"


class MarkedDifferent(Conflict):
    """A person has said that these two are different; `override` merges them nevertheless."""

    code = "marked_different"


class AlreadyUndone(Conflict):
    """This merge was undone before."""

    code = "already_undone"


class NewerMerge(Conflict):
    """A newer merge stands on this one; undo that one first."""

    code = "newer_merge"


class OnlyRecord(Conflict):
    """What the candidate is made of cannot be detached: nothing would remain of them."""

    code = "only_record"


class NotDetachable(Conflict):
    """A correction belongs to the candidate whom it corrects and cannot be detached."""

    code = "not_detachable"
