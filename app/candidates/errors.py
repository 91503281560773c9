from app.kit.errors import Conflict, Invalid, NotFound


class CandidateNotFound(NotFound):
    """There is no such candidate in this tenant."""


class CandidateErased(NotFound):
    """This candidate was erased; nothing about them is kept."""

    code = "erased"


class CustomFieldNotFound(NotFound):
    """There is no such custom field in this tenant."""


class CustomFieldKeyTaken(Conflict):
    """Another custom field of this tenant has this key."""

    code = "key_taken"


class CustomFieldInvalid(Invalid):
    """A custom field is not as it is defined, or must not be collected."""

    code = "custom_field_invalid"
