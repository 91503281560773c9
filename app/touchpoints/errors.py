from app.kit.errors import FieldError, Invalid, NotFound


class TouchpointNotFound(NotFound):
    """There is no such touchpoint in this tenant."""


class PersonNotFound(NotFound):
    """There is no candidate with this id in this tenant."""

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/candidate_id", self.code, self.sentence())])


class UnknownType(Invalid):
    """The type is none of the known touchpoint types and no `custom:` name of [a-z0-9_], 1 to 50 characters."""

    code = "unknown_type"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/type", self.code, self.sentence())])


class InvalidEmail(Invalid):
    """This is not an e-mail address."""

    code = "invalid_email"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/email", self.code, self.sentence())])


class InvalidPhone(Invalid):
    """This is not a phone number of any country; national ones are read as the tenant's."""

    code = "invalid_phone"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/phone", self.code, self.sentence())])
