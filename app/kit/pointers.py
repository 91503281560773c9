"""JSON pointers (RFC 6901) to what is wrong in a request."""

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def below(pointer: str, part: object) -> str:
    """Return the pointer to a member or an item of what `pointer` points at."""
    return f"{pointer}/{str(part).replace('~', '~0').replace('/', '~1')}"


def at_unknown(pointer: str, member: object) -> str:
    """Return the pointer to a member that nobody knows; to its parent, when it could be a person's data (`a@b.jp`)."""
    return below(pointer, member) if _NAME.fullmatch(str(member)) else pointer
