"""What goes around a body: ETag, Location, If-Match, If-None-Match."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Protocol, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from app.kit import json
from app.kit.errors import NotModified, PreconditionFailed, PreconditionRequired


class HasVersion(Protocol):
    @property
    def version(self) -> int: ...


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


V = TypeVar("V", bound=HasVersion)
J = TypeVar("J", bound=HasId)

ANY: Final = "*"


class Answer:
    """The headers of the request that make a condition of it, and those of the response that describe it."""

    def __init__(self, response: Response, if_match: str | None, if_none_match: str | None) -> None:
        self._response = response
        self._if_match = if_match
        self._if_none_match = if_none_match

    def expect(self, version: int, *, required: bool = False) -> None:
        """Hold the request to the version it was made for; raises PreconditionFailed, PreconditionRequired."""
        if self._if_match is None:
            if required:
                raise PreconditionRequired
            return
        if not _names(self._if_match, version):
            raise PreconditionFailed

    def expect_nothing(self) -> None:
        """Refuse a request that was made for any version, where there is nothing yet; raises PreconditionFailed."""
        if self._if_match is not None:
            raise PreconditionFailed

    def versioned(self, resource: V) -> V:
        """Answer `resource` under its ETag; raises NotModified when the client has it already."""
        self._tag(resource.version)
        return resource

    def plain(self, resource: Mapping[str, Any]) -> "Plain":
        """Answer a resource of plain values under its ETag; raises NotModified when the client has it already."""
        self._tag(resource["version"])
        return plain(resource, self._response)

    def _tag(self, version: int) -> None:
        tag = etag(version)
        if self._if_none_match is not None and _names(self._if_none_match, version):
            raise NotModified(tag)
        self._response.headers["ETag"] = tag

    def created(self, resource: V, location: str) -> V:
        """Answer 201 with where the new resource is."""
        self._response.status_code = 201
        self._response.headers["Location"] = location
        self._response.headers["ETag"] = etag(resource.version)
        return resource

    def located(self, location: str, status: int = 201) -> None:
        """Say where the result is."""
        self._response.status_code = status
        self._response.headers["Location"] = location

    def accepted(self, job: J) -> J:
        """Answer 202 with where the job is."""
        self.located(f"/v1/jobs/{job.id}", 202)
        return job

    def content_location(self, path: str) -> None:
        """Say under which id the resource is kept now."""
        self._response.headers["Content-Location"] = path


class Plain(Response):
    """An answer that still knows whom it shows: each of its rows is somebody, or names somebody."""

    def __init__(self, value: Mapping[str, Any], like: Response) -> None:
        headers = like.headers
        super().__init__(json.dumpb(value), like.status_code or 200, headers, "application/json")
        self.people: list[UUID] = [_person_of(row) for row in value.get("data", [value])]


def plain(value: Mapping[str, Any], response: Response) -> Plain:
    """Answer plain values as `response` is headed, past the schema, which would read and write each again.

    They must be what the operation's schema says.
    """
    return Plain(value, response)


def _person_of(row: Mapping[str, Any] | json.Written) -> Any:  # noqa: ANN401 (an id)
    return row.id if isinstance(row, json.Written) else row.get("candidate_id") or row["id"]


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"v{version}"'


def _names(header: str, version: int) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return ANY in tags or etag(version) in tags


async def answer(
    request: Request,
    response: Response,
    if_match: Annotated[str | None, Header(description='Write only when the version is still this: `"v7"`.')] = None,
    if_none_match: Annotated[str | None, Header(description="Answer 304 when this is still current.")] = None,
) -> Answer:
    """Read the conditions of a request; `If-None-Match` is only for reading."""
    return Answer(response, if_match, if_none_match if request.method == "GET" else None)


AnswerDep = Annotated[Answer, Depends(answer)]


def expected(find: Callable[..., Awaitable[V]]) -> Callable[..., Awaitable[V]]:
    """Return the dependency that finds with `find` what is going to be changed, and holds the request to its version.

    A dependency, because a stale request is 412 whatever its body says, and bodies are judged after all of these.
    """

    async def held(answer: AnswerDep, found: Annotated[V, Depends(find)]) -> V:
        answer.expect(found.version)
        return found

    return held
