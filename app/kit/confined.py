"""Work on hostile input in a process of its own: it has no secrets, and a limit that it hits ends it alone."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterable
from pathlib import Path
from typing import Final

import app

LINE_BYTES: Final = 16 << 20
_ROOT: Final = Path(app.__file__).parents[1]


async def lines(module: str, source: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Run `module` (which sets its own limits) as a program, feed it `source`, and yield each line that it writes.

    The program is killed when the caller stops listening; its exit code is not looked at, so its protocol must say how
    it ended. A line has at most 16 MiB.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, cwd=_ROOT, env={"LANG": "C.UTF-8"}, limit=LINE_BYTES
    )
    feeding = asyncio.create_task(_feed(process, source))
    try:
        if process.stdout is not None:
            async for line in process.stdout:
                yield line
        await feeding
    finally:
        feeding.cancel()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        await process.wait()


async def _feed(process: Process, source: AsyncIterable[bytes]) -> None:
    """Write everything; a program may close its ear, but a source that fails must not look like its end."""
    if process.stdin is None:
        return
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            async for chunk in source:
                process.stdin.write(chunk)
                await process.stdin.drain()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    process.stdin.close()
