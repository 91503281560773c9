from uuid import UUID

from app.kit.errors import Conflict, FieldError, Invalid, NotFound


class CandidateUnknown(NotFound):
    """There is no such candidate in this tenant."""

    def __init__(self, candidate_id: UUID | None = None, pointer: str | None = None) -> None:
        errors = [] if pointer is None else [FieldError(pointer, self.code, self.sentence())]
        super().__init__(errors=errors)
        self.candidate_id = candidate_id


class SuppressionNotFound(NotFound):
    """There is no such suppression in this tenant."""


class SuppressionPermanent(Conflict):
    """An erasure stays, and an unsubscription is lifted by the person's own consent, not by deleting it."""

    code = "suppression_permanent"


class AddressInvalid(Invalid):
    """The value is not an address of this channel."""

    code = "address_invalid"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/value", self.code, self.sentence())])


class StatementInvalid(Invalid):
    """The statement cannot be taken into the ledger as it is."""

    code = "statement_invalid"


class Leased(Conflict):
    """Somebody else holds the lease on this person."""

    code = "leased"
