"""Forgetting what hooks were told of a person."""

from collections.abc import Sequence
from uuid import UUID

from app.candidates.erasing import Traces, patterns, told
from app.kit.db import Session

_TEXT = "encode(raw, 'escape')"
"""Bytes as text that any byte has a place in: what is not ASCII is written as octal."""


async def erase(session: Session, found: Traces, told_of: Sequence[UUID]) -> int:
    """Empty the bodies of calls that told of a person (`told_of`) or name them; return how many there were.

    From a call that is not read yet only the person is taken out: it may tell of others, too.
    """
    given = {"ids": list(told_of), "patterns": patterns({*found.addresses, *map(str, found.ids)})}
    await session.run(
        f"""update deliveries set headers = '{{}}',
              raw = decode(regexp_replace({_TEXT}, :told, 'erased', 'gi'), 'escape')
            where raw is not null and status in ('stored', 'dead') and lower({_TEXT}) like any(:patterns)""",  # noqa: S608 (constants)
        patterns=given["patterns"],
        told=_expression(found),
    )
    return await session.run(
        f"""update deliveries set raw = null, headers = '{{}}'
            where raw is not null and (id = any(:ids)
              or (status in ('parsed', 'duplicate')
                and (lower({_TEXT}) like any(:patterns) or lower(headers::text) like any(:patterns))))""",  # noqa: S608 (constants)
        **given,
    )


def _expression(found: Traces) -> str:
    """Return the regular expression of everything that tells the person, as it stands in escaped bytes."""
    texts = told({*found.addresses, *found.names, *map(str, found.ids)})
    return "|".join("".join(_escaped(byte) for byte in text.encode()) for text in texts) or "(?!)"


def _escaped(byte: int) -> str:
    character = chr(byte)
    if byte > 0x7F:  # noqa: PLR2004 (the end of ASCII)
        return f"\\\\{byte:03o}"
    return character if character.isalnum() else f"\\{character}" if character != "\\" else "\\\\\\\\"
