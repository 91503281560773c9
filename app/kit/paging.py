"""Keyset pages: a signed cursor that is bound to the filters and the sort, and names the last row's keys."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response

from app.kit import crypto, json
from app.kit.answer import Plain, plain
from app.kit.errors import CursorInvalid, CursorMismatch, FieldError, Invalid
from app.kit.schemas import Page

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
TOTAL_MAX: Final = 10_000
_SIGNATURE_BYTES = 12

R = TypeVar("R")
S = TypeVar("S")


class LimitOutOfRange(Invalid):
    """`limit` must be from 1 to 200."""

    code = "limit_out_of_range"


@dataclass(frozen=True, slots=True)
class Paging:
    """What a list was asked for: how many rows, after which one, with a total or without."""

    limit: int
    cursor: str | None
    include_total: bool
    request: Request
    response: Response

    def after(self, *bound_to: Any) -> list[Any] | None:  # noqa: ANN401 (filters are any JSON values)
        """Return the keys of the row to go on after, or None at the beginning.

        Raises CursorInvalid when the cursor was altered, CursorMismatch when it was made for other filters.
        """
        if self.cursor is None:
            return None
        keys, bound = open_cursor(self.cursor)
        if bound != _bound([*bound_to, self.include_total]):
            raise CursorMismatch
        return keys

    def page(
        self,
        rows: Sequence[R],
        read: Callable[[R], S],
        key: Callable[[R], Sequence[Any]],
        *bound_to: Any,  # noqa: ANN401 (filters are any JSON values)
        total: int | None = None,
    ) -> Page[S]:
        """Make a page of `rows`, of which there is one more than `limit` when there are more."""
        more = len(rows) > self.limit
        shown = rows[: self.limit]
        cursor = self.going_on(key(shown[-1]), *bound_to) if more else None
        return Page[S](
            data=[read(row) for row in shown],
            next_cursor=cursor,
            has_more=more,
            total=None if total is None else min(total, TOTAL_MAX),
            total_is_capped=None if total is None else total > TOTAL_MAX,
        )

    def going_on(self, keys: Sequence[Any], *bound_to: Any) -> str:  # noqa: ANN401 (filters are any JSON values)
        """Make the cursor of the page after the row with these keys, and say in a header where that page is."""
        cursor = make_cursor(keys, [*bound_to, self.include_total])
        self._link(cursor)
        return cursor

    def plain(self, page: Page[Any]) -> Plain:
        """Answer a page whose rows are plain values as it is."""
        left_out = ((name, field.exclude_if) for name, field in type(page).model_fields.items())
        shown = {name: getattr(page, name) for name, leave in left_out if not (leave and leave(getattr(page, name)))}
        return plain(shown, self.response)

    def _link(self, cursor: str) -> None:
        """Say where the next page is: the same filters, and the cursor. A search has none, its filters being a body."""
        if self.request.method != "GET":
            return
        asked = [each for each in self.request.query_params.multi_items() if each[0] != "cursor"]
        query = urlencode([*asked, ("cursor", cursor)])
        self.response.headers["Link"] = f'<{quote(self.request.scope["path"])}?{query}>; rel="next"'


async def paging(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(description="How many rows at most, 1 to 200.")] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(description="The `next_cursor` of the page before.")] = None,
    include: Annotated[list[str] | None, Query(description="`total` adds a capped count.")] = None,
) -> Paging:
    """Read the paging parameters; raises LimitOutOfRange, Invalid."""
    if not 1 <= limit <= LIMIT_MAX:
        raise LimitOutOfRange(errors=[FieldError("/query/limit", "limit_out_of_range", LimitOutOfRange.sentence())])
    if set(include or ()) - {"total"}:
        raise Invalid(errors=[FieldError("/query/include", "unknown_include", "Only `total` can be included.")])
    return Paging(limit, cursor, bool(include), request, response)


PagingQuery = Annotated[Paging, Depends(paging)]


def make_cursor(keys: Sequence[Any], bound_to: Any) -> str:  # noqa: ANN401 (filters are any JSON values)
    """Return a cursor after the row with `keys`, good only for the same `bound_to`."""
    payload = json.dumpb([list(keys), _bound(bound_to)])
    return _written(_sign(payload) + payload)


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def open_cursor(cursor: str) -> tuple[list[Any], str]:
    """Return a cursor's keys and what it is bound to; raises CursorInvalid."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError) as error:
        raise CursorInvalid from error
    if _written(raw) != cursor:  # base64 has several spellings of the same bytes
        raise CursorInvalid
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not crypto.same(signature, _sign(payload)):
        raise CursorInvalid
    keys, bound = json.loads(payload)
    return keys, bound


def _sign(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, key=crypto.derive("cursor"), digest_size=_SIGNATURE_BYTES).digest()


def _bound(to: Any) -> str:  # noqa: ANN401 (filters are any JSON values)
    return hashlib.blake2b(json.canonical(to), digest_size=8).hexdigest()


def filters(**parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 (filters are any JSON values)
    """Return the filters that were given, for binding a cursor to them."""
    return {name: value for name, value in parameters.items() if value is not None}
