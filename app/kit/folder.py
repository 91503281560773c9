"""The data folder of one `talentpool dev`: held by one process at a time, and closed to other users."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.kit.process import StartError


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, unless it is there.

    Raises:
        StartError: it cannot be made or written to.

    """
    if folder.exists() and not folder.is_dir():
        raise StartError(f"{folder} is not a folder.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StartError(f"The folder {folder} is not writable for this user.")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder for as long as the block runs; the kernel lets go of it however the process ends.

    Raises:
        StartError: another process holds it, or it cannot be used.

    """
    make_folder(folder)
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(f"The folder {folder} cannot be written to: {error.strerror}.") from error
    with os.fdopen(lock, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = file.read().strip() or "unknown"
            raise StartError(f"Another talentpool (process {holder}) already runs on {folder}.") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step by one that only its owner may read."""
    new = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
