from collections.abc import Sequence

from app.kit.errors import Conflict, FieldError, Invalid, NotFound


class ScoreModelNotFound(NotFound):
    """There is no score model with this key and version in this tenant."""


class NoDraft(Conflict):
    """This score model has no draft to publish; write one first."""

    code = "no_draft"


class KeyMismatch(Invalid):
    """The body names another model than the path."""

    code = "key_mismatch"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/key", self.code, self.sentence())])


class AtInFuture(Invalid):
    """A score is answered up to now, not for the future."""

    code = "at_in_future"

    def __init__(self, pointer: str = "/query/at") -> None:
        super().__init__(errors=[FieldError(pointer, self.code, self.sentence())])


class FitCriteriaInvalid(Invalid):
    """The criteria of a fit rule ask what cannot be asked; they may not name `score` or `pool`."""

    code = "criteria_invalid"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors=errors)
