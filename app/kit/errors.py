"""Errors are classes; a problem document is what a client sees of one (RFC 9457).

AppError
├── Malformed 400 ├── Unauthorized 401 ├── Forbidden 403 ├── NotFound 404 ├── Conflict 409 ├── Gone 410
├── PreconditionFailed 412 ├── PreconditionRequired 428 ├── TooLarge 413 ├── UnsupportedMediaType 415
├── Invalid 422 ├── TooManyRequests 429 └── Unavailable 503

A slice's `errors.py` subclasses one of these: the class's `code` is the contract, its docstring the message.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.kit import json


@dataclass(frozen=True, slots=True)
class FieldError:
    """One place that is wrong: a JSON pointer into the body (or `/query/<name>`), a code, a sentence; never a value."""

    pointer: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


class AppError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Error"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,  # noqa: ANN401 (members of a problem are any JSON)
    ) -> None:
        super().__init__(self.code)
        self.detail = detail or self.sentence()
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members

    @classmethod
    def sentence(cls) -> str:
        """Return the class's docstring on one line: the message."""
        return " ".join((inspect.getdoc(cls) or cls.title).split())

    def problem(self, request_id: str) -> dict[str, Any]:
        """Return the problem document."""
        return {
            "type": f"urn:talentpool:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": f"urn:uuid:{request_id}",
            "code": self.code,
            "request_id": request_id,
            "errors": [error.as_dict() for error in self.errors],
            **self.members,
        }

    def body(self, request_id: str) -> bytes:
        """Return the problem document as JSON."""
        return json.dumpb(self.problem(request_id))


class Malformed(AppError):
    """The request cannot be read: it is empty, truncated, not UTF-8, or not JSON."""

    code, status, title = "malformed", 400, "Bad Request"


class Unauthorized(AppError):
    """No valid API key came with the request."""

    code, status, title = "unauthorized", 401, "Unauthorized"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"})


class Forbidden(AppError):
    """The API key does not hold the scope that this needs."""

    code, status, title = "missing_scope", 403, "Forbidden"


class NotFound(AppError):
    """There is no such resource in this tenant."""

    code, status, title = "not_found", 404, "Not Found"


class MethodNotAllowed(AppError):
    """The resource does not know this method."""

    code, status, title = "method_not_allowed", 405, "Method Not Allowed"


class Conflict(AppError):
    """The state of the resource does not allow this."""

    code, status, title = "conflict", 409, "Conflict"


class Gone(AppError):
    """This has been, and is no more."""

    code, status, title = "gone", 410, "Gone"


class PreconditionFailed(AppError):
    """The resource has changed since the version that If-Match names; nothing was written."""

    code, status, title = "precondition_failed", 412, "Precondition Failed"


class TooLarge(AppError):
    """The request is larger than this resource takes."""

    code, status, title = "too_large", 413, "Content Too Large"


class TooManyItems(TooLarge):
    """The batch holds more items than this resource takes."""

    code = "too_many_items"


class UnsupportedMediaType(AppError):
    """The Content-Type is not one that this resource takes."""

    code, status, title = "unsupported_media_type", 415, "Unsupported Media Type"


class Invalid(AppError):
    """The request is well formed but does not have the shape or the values that this resource takes."""

    code, status, title = "invalid", 422, "Unprocessable Content"


class PreconditionRequired(AppError):
    """This tenant asks for If-Match on every change of a candidate."""

    code, status, title = "precondition_required", 428, "Precondition Required"


class TooManyRequests(AppError):
    """More requests came than the rate limit allows; try again after Retry-After seconds."""

    code, status, title = "rate_limited", 429, "Too Many Requests"


class Unavailable(AppError):
    """The service cannot do this at the moment; try again after Retry-After seconds."""

    code, status, title = "unavailable", 503, "Service Unavailable"

    def __init__(self, retry_after_s: int = 2) -> None:
        super().__init__(headers={"Retry-After": str(retry_after_s)})


class Overtaken(Unavailable):
    """Somebody else changed the same person at this moment; the request is run again, and refused when that goes on."""

    code = "overtaken"


class Bug(AppError):
    """The service made a mistake; the request id finds it in the log."""

    code, status, title = "internal", 500, "Internal Server Error"


class NotModified(Exception):
    """The client's copy is current: answer 304 with this tag."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


class IdempotencyMismatch(Invalid):
    """This Idempotency-Key was used for another request."""

    code = "idempotency_mismatch"


class IdempotencyInProgress(Conflict):
    """A request with this Idempotency-Key is still running."""

    code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class CursorInvalid(Malformed):
    """The cursor was altered or is not one of ours."""

    code = "cursor_invalid"


class CursorMismatch(Malformed):
    """The cursor belongs to other filters or another sort."""

    code = "cursor_mismatch"


class SortNotAllowed(Malformed):
    """This list cannot be sorted so."""

    code = "sort_not_allowed"
