"""The process in which a file is read: without secrets, with little memory and time, its end is nobody's loss.

In: one line of JSON (what is to be read, and how), then the file. Out: one line of JSON for the header, one for each
row, and one that says how it ended; without that last line the process was stopped by a limit.
"""

import resource
import sys
from typing import Any, BinaryIO, Final

from app.imports.sniff import Unreadable
from app.imports.table import read
from app.kit import json

MEMORY_BYTES: Final = 1 << 30
CPU_S: Final = 120


def run(source: BinaryIO, target: BinaryIO) -> None:
    """Read one file from `source` and write its rows to `target`."""

    def say(message: dict[str, Any]) -> None:
        target.write(json.dumpb(message) + b"\n")

    try:
        how = json.loads(source.readline())
        table = read(source.read(), how["format"], how["encoding"], how["mapping"])
        say({"header": table.header, "encoding": table.encoding})
        for line in table.lines:
            say({"row": line.number, "cells": line.cells, "flaws": line.flaws})
        say({"end": None, "row": None})
    except Unreadable as error:
        say({"end": error.code, "row": error.row})
    except (MemoryError, RecursionError):
        say({"end": "file_too_complex", "row": None})
    target.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    run(sys.stdin.buffer, sys.stdout.buffer)
