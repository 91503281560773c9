"""Bodies, read once and strictly: size, media type, UTF-8, depth, NaN, NUL, lone surrogates."""

import json as lenient
import math
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from fastapi import Request

from app.kit import json
from app.kit.errors import FieldError, Invalid, Malformed, TooLarge, UnsupportedMediaType
from app.kit.pointers import at_unknown

MAX_DEPTH: Final = 64
MAX_BODY: Final = 1 << 20
_SUSPECT: Final = (b"\\u0000", b"\\ud", b"\\uD")
_MOST_BITS: Final = 64
"""Of a whole number; larger ones are read as floats, where they can be."""
_UNFIT: Final = {
    "invalid_text": "Text must hold no NUL and no lone surrogate.",
    "out_of_range": "This number is larger than any that can be kept.",
}
_NESTING: Final = (dict, list)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """An item of a batch that holds text, or a number, that no database column can hold: it fails alone."""

    client_ref: str | None
    error: FieldError


class JsonRequest(Request):
    """A request whose body is limited while it is read, and whose JSON is strict."""

    def __init__(self, scope: Any, receive: Any, edge: dict[str, Any]) -> None:  # noqa: ANN401 (ASGI)
        super().__init__(scope, receive)
        self.edge = edge
        self.limit = int(edge.get("max_body") or MAX_BODY)
        self.batch_size = 0
        """How many items the body holds, once it has been read as a batch."""

    async def check_media(self) -> None:
        """Raise UnsupportedMediaType for a body of another type, Malformed for none (`{}`, where that is allowed)."""
        if not (await self.body()).strip():
            self._use_empty_object()
            return
        media = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media not in self.edge.get("media", ["application/json"]):
            raise UnsupportedMediaType

    def _use_empty_object(self) -> None:
        if not self.edge.get("empty_body"):
            raise Malformed
        self._body = b"{}"
        kept = [header for header in self.scope["headers"] if header[0] != b"content-type"]
        self.scope["headers"] = [*kept, (b"content-type", b"application/json")]
        self.__dict__.pop("_headers", None)

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body; raises TooLarge by Content-Length, or as soon as the limit is exceeded."""
        if int(self.headers.get("Content-Length") or 0) > self.limit:
            raise TooLarge
        received = 0
        async for chunk in super().stream():
            received += len(chunk)
            if received > self.limit:
                raise TooLarge
            yield chunk

    async def json(self) -> Any:  # noqa: ANN401 (any JSON value)
        """Return the parsed body; raises Malformed, or Invalid for what no database column can hold."""
        value = parse(await self.body(), each_alone=bool(self.edge.get("each_alone")))
        batch = value.get("items") if isinstance(value, dict) else value
        self.batch_size = len(batch) if isinstance(batch, list) else 0
        return value


def parse(raw: bytes, *, each_alone: bool = False) -> Any:  # noqa: ANN401 (any JSON value)
    """Parse one JSON text; raises Malformed (400) and Invalid (422: NUL, a lone surrogate, a number like 1e400).

    With `each_alone` one of these in an item of a batch (an array, or `items`) makes that one Spoilt.
    """
    is_suspect = any(mark in raw for mark in _SUSPECT)
    try:
        value = json.loads(raw)
    except ValueError:
        value, is_suspect = _parse_leniently(raw), True
    if (raw.count(b"[") + raw.count(b"{")) > MAX_DEPTH and _depth_exceeded(value):
        raise Malformed
    if is_suspect:
        value = _each_apart(value) if each_alone else value
        _refuse_unfit(value)
    return value


def _each_apart(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if isinstance(value, list):
        return [_kept_apart(item) for item in value]
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        return {**value, "items": _each_apart(value["items"])}
    return value


def _kept_apart(item: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if (found := _unfit(item)) is None:
        return item
    ref = client_ref_of(item)
    return Spoilt(None if ref is None or _is_bad(ref) else ref, _error(*found))


def client_ref_of(item: Any) -> str | None:  # noqa: ANN401 (any JSON value)
    """Return what its sender calls an item of a batch."""
    if isinstance(item, Spoilt):
        return item.client_ref
    named = item.get("client_ref") if isinstance(item, dict) else None
    return named if isinstance(named, str) else None


def _parse_leniently(raw: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """Tell JSON that only has lone surrogates, or numbers beyond all bounds, (422) from what is no JSON (400)."""
    try:
        return lenient.loads(raw.decode(), parse_constant=_refuse_constant)  # noqa: TID251 (orjson refuses both)
    except (ValueError, RecursionError) as error:
        raise Malformed from error


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


def _depth_exceeded(value: Any) -> bool:  # noqa: ANN401 (any JSON value)
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, _NESTING)
        ]
        if not level:
            return False
    return True


def _refuse_unfit(value: Any) -> None:  # noqa: ANN401 (any JSON value)
    if (found := _unfit(value)) is not None:
        raise Invalid(errors=[_error(*found)])


def _error(way: Iterable[str | int], kind: str) -> FieldError:
    return FieldError(at_unknown("", *way), kind, _UNFIT[kind])


def _unfit(value: Any) -> tuple[list[str | int], str] | None:  # noqa: ANN401 (any JSON value)
    """Return the way to the first value that no column can hold, and what it is; None where all is well."""
    if isinstance(value, str):
        return ([], "invalid_text") if _is_bad(value) else None
    if isinstance(value, int | float):
        return ([], "out_of_range") if _is_endless(value) else None
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, item in members:
        if isinstance(name, str) and _is_bad(name):
            return [], "invalid_text"
        if (found := _unfit(item)) is not None:
            return [name, *found[0]], found[1]
    return None


def _is_bad(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _is_endless(number: float) -> bool:
    return number.bit_length() > _MOST_BITS if isinstance(number, int) else math.isinf(number)
