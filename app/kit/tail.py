"""Reads what is appended to a log of ours, and lets through what an operator must see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.kit import json

_QUIET: Final = frozenset({"debug", "info"})
_ONLY_IN_THE_FILE: Final = frozenset({"event", "logger", "module", "timestamp", "where"})
_LARGEST_BYTES: Final = 10_000_000


class Tail:
    """The lines of a file from now on."""

    def __init__(self, path: Path) -> None:
        """Begin at the end of the file, which is set aside first when it is over 10 MB."""
        if path.exists() and path.stat().st_size > _LARGEST_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        path.touch()
        self._path = path
        self._position = path.stat().st_size

    def warnings(self) -> Iterator[str]:
        """Yield the complete new lines that are warnings or worse, or no log lines at all, as short text."""
        with self._path.open("rb") as file:
            file.seek(self._position)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._position += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            shown = _shown(line)
            if shown:
                yield shown


def _shown(line: str) -> str:
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if not isinstance(event, dict):
        return line
    level = event.pop("level", "warning")
    if level in _QUIET:
        return ""
    rest = " ".join(f"{name}={value}" for name, value in event.items() if name not in _ONLY_IN_THE_FILE)
    return f"{level}: {event.get('event', '')} {rest}".rstrip()
