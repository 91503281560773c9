"""Liquid for what tenants write: no parts from elsewhere, values escaped, and an end to everything.

The library limits nesting and output; loops are counted here over the whole template, every filter is watched, and
ranges are short, because one `replace` of a long text by a long text, or one `reversed` range, would fill the memory
before any limit of the library could see it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar, Final

from liquid import BoundTemplate, Environment, RenderContext, Undefined
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import ForLoop
from liquid.builtin.tags.tablerow_tag import TableRow
from liquid.exceptions import (
    BlockNestingError,
    LiquidError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    ResourceLimitError,
)
from liquid.token import Token

SOURCE_BYTES: Final = 256 * 1024
OUTPUT_BYTES: Final = 1024 * 1024
ITERATIONS: Final = 10_000
NESTING: Final = 50
SECONDS: Final = 2.0
BITS: Final = 4096
"""The longest whole number that a filter may make."""
REFUSED_TAGS: Final = ("include", "render")
REFUSED_FILTERS: Final = ("safe",)


class Refused(ValueError):
    """A template that cannot be used; `over_limit` tells what asks for too much from what is not well formed."""

    def __init__(self, *, over_limit: bool) -> None:
        super().__init__("limit" if over_limit else "syntax")
        self.over_limit = over_limit


class Watched(RenderContext):
    """One rendering: until when it may take, how often it has looped, which variables it did not find."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (the library's own)
        super().__init__(*arguments, **options)
        self.deadline = time.monotonic() + SECONDS
        self.iterations = 0
        self.missing: dict[str, None] = {}

    def watch(self) -> None:
        """Raise when the time is over."""
        if time.monotonic() > self.deadline:
            raise ResourceLimitError("time", token=None)

    @contextmanager
    def loop(self, namespace: Mapping[str, object], forloop: ForLoop | TableRow) -> Iterator[RenderContext]:
        self.watch()
        self.iterations += forloop.length
        if self.iterations > ITERATIONS:
            raise LoopIterationLimitError("iterations", token=None)
        with super().loop(namespace, forloop) as context:
            yield context

    def assign(self, key: str, val: Any) -> None:  # noqa: ANN401 (any value of a template)
        self.watch()
        super().assign(key, val)

    def get(self, path: list[object], **options: Any) -> object:  # noqa: ANN401 (the library's own)
        found = super().get(path, **options)
        if isinstance(found, Undefined) and all(isinstance(step, str | int) for step in path):
            self.missing[".".join(str(step) for step in path)] = None
        return found

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        function = super().filter(name, token)

        def watched(value: object, *arguments: Any, **options: Any) -> object:  # noqa: ANN401 (of any filter)
            self.watch()
            if _grown(name, value, arguments) > OUTPUT_BYTES:
                raise LocalNamespaceLimitError("growth", token=token)
            result = function(value, *arguments, **options)
            if _size(result) > OUTPUT_BYTES:
                raise LocalNamespaceLimitError("growth", token=token)
            return result

        return watched


def _size(value: object) -> int:
    if isinstance(value, str | list | tuple):
        return len(value)
    too_long = isinstance(value, int) and value.bit_length() > BITS
    return OUTPUT_BYTES + 1 if too_long else 0


def _grown(name: str, value: object, arguments: tuple[object, ...]) -> int:
    """Return how long the result of a filter that repeats its argument would be at most, in characters."""
    texts = [str(argument) for argument in arguments if isinstance(argument, str | int)]
    if name == "replace" and texts:
        text, sought = str(value), texts[0]
        return len(text) + text.count(sought) * len(texts[1] if len(texts) > 1 else "")
    if name == "join" and isinstance(value, list | tuple):
        return sum(len(str(item)) for item in value) + len(value) * len(texts[0] if texts else "")
    return 0


_make_range = RangeLiteral._make_range  # noqa: SLF001 (the one place where the library makes a range)


def _make_short_range(literal: RangeLiteral, start: Any, stop: Any) -> range:  # noqa: ANN401 (any value of a template)
    made = _make_range(literal, start, stop)
    if made.stop - made.start > ITERATIONS:
        raise LoopIterationLimitError("range", token=None)
    return made


RangeLiteral._make_range = _make_short_range  # type: ignore[method-assign, assignment]  # noqa: SLF001 (no hook)


class _Template(BoundTemplate):
    context_class = Watched


class _Limited(Environment):
    block_nesting_limit: ClassVar[int] = NESTING
    context_depth_limit: ClassVar[int] = 2 * NESTING
    loop_iteration_limit: ClassVar[int | None] = ITERATIONS
    local_namespace_limit: ClassVar[int | None] = OUTPUT_BYTES
    output_stream_limit: ClassVar[int | None] = OUTPUT_BYTES
    template_class = _Template

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in REFUSED_TAGS:
            del self.tags[tag]
        for name in REFUSED_FILTERS:
            del self.filters[name]


_HTML: Final = _Limited(autoescape=True)
_PLAIN: Final = _Limited()


@lru_cache(maxsize=256)
def _parsed(source: str, escaped: bool) -> BoundTemplate:
    if len(source.encode()) > SOURCE_BYTES:
        raise Refused(over_limit=True)
    try:
        return (_HTML if escaped else _PLAIN).from_string(source)
    except BlockNestingError as error:
        raise Refused(over_limit=True) from error
    except LiquidError as error:
        raise Refused(over_limit=_asks_for_parts(error)) from error


def _asks_for_parts(error: LiquidError) -> bool:
    return error.token is not None and error.token.value.strip() in REFUSED_TAGS


def render(source: str, variables: Mapping[str, object], *, escaped: bool) -> tuple[str, list[str]]:
    """Return what `source` says with these variables, and the names that it asks for and that are not there.

    With `escaped` every value is HTML-escaped. Raises Refused.
    """
    template = _parsed(source, escaped)
    context = Watched(template, globals=template.make_globals(variables))
    buffer = context.get_buffer()
    try:
        template.render_with_context(context, buffer)
    except ResourceLimitError as error:
        raise Refused(over_limit=True) from error
    except LiquidError as error:
        raise Refused(over_limit=False) from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise Refused(over_limit=True) from error
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Refused(over_limit=False) from error
    return buffer.getvalue(), list(context.missing)
