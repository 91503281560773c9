"""JSON pointers (RFC 6901) to what is wrong in a request."""

import re
from itertools import takewhile
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def below(pointer: str, part: object) -> str:
    """Return the pointer to a member or an item of what `pointer` points at."""
    return f"{pointer}/{str(part).replace('~', '~0').replace('/', '~1')}"


def at_unknown(pointer: str, *way: object) -> str:
    """Return the pointer to what nobody knows; it ends before a name that could be a person's data (`a@b.jp`)."""
    return "".join([pointer, *(below("", part) for part in takewhile(_is_telling, way))])


def _is_telling(part: object) -> bool:
    return isinstance(part, int) or _NAME.fullmatch(str(part)) is not None
