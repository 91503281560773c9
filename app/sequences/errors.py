from app.kit.errors import Conflict, Invalid, NotFound, TooManyItems


class TemplateNotFound(NotFound):
    """There is no such template in this tenant."""


class TemplateKeyTaken(Conflict):
    """Another template has this key."""

    code = "key_taken"


class TemplateInvalid(Invalid):
    """The template is not well-formed Liquid, MJML or HTML."""

    code = "template_invalid"


class TemplateLimit(Invalid):
    """The template asks for more than a template may: size, loops, nesting, time, or parts from elsewhere."""

    code = "template_limit"


class TemplateIncomplete(Invalid):
    """A template of this sequence lacks display items that the law asks of each mail."""

    code = "template_incomplete"


class SenderIncomplete(Invalid):
    """The tenant's sender has no from_email, so no mail can leave."""

    code = "sender_incomplete"


class SequenceNotFound(NotFound):
    """There is no such sequence in this tenant."""


class SequenceKeyTaken(Conflict):
    """Another sequence has this key."""

    code = "key_taken"


class SequenceEmpty(Invalid):
    """A sequence needs a step before it can be activated."""

    code = "sequence_empty"


class SequenceNotActive(Conflict):
    """The sequence is not active."""

    code = "sequence_not_active"


class ReentryNotAllowed(Conflict):
    """The candidate has been in this sequence before, and it does not allow that again (yet)."""

    code = "reentry_not_allowed"


class EnrollmentNotFound(NotFound):
    """There is no such enrollment in this tenant."""


class EnrollmentFinished(Conflict):
    """The enrollment is over."""

    code = "enrollment_finished"


class RevisionNotFound(NotFound):
    """The sequence has no such revision that was ever live, or it does not hold the enrollment's step."""


class TooManyCandidates(TooManyItems):
    """At most 500 candidates can be enrolled at once."""


class MessageNotFound(NotFound):
    """There is no such message in this tenant."""


class MessageState(Conflict):
    """The state of the message does not allow this."""

    code = "message_state"
