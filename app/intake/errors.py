from app.kit.errors import Conflict, Invalid


class MatchConflict(Conflict):
    """What was sent belongs to more than one candidate; `candidate_ids` names them."""

    code = "match_conflict"


class BlockedErased(Conflict):
    """This person was erased and must not come back without their own consent."""

    code = "blocked_erased"


class NothingIdentifies(Invalid):
    """A candidate needs a name, a valid e-mail address, a valid phone number or an external id."""

    code = "nothing_identifies"
