"""`talentpool import FILE`: a file goes to the running service; its progress and what became of its rows are shown."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.kit.process import StartError
from app.kit.terminal import ask

PAUSE_S: Final = 0.2
ERRORS_SHOWN: Final = 10
ON_ITS_WAY: Final = frozenset({"queued", "running"})


def run(service: httpx.Client, file: Path, form: Mapping[str, str], console: Console) -> bool:
    """Import one file; return whether it went well. Raises StartError when it or the service cannot be reached."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StartError(f"The file {file} cannot be read: {error.strerror}.") from error
    job = ask(service, "POST", "/v1/imports", files={"file": (file.name, content)}, data=dict(form))
    import_id = job["import_id"]
    ended = _follow(service, job, file.name, console)
    if ended["error"]:
        console.print(ended["error"]["detail"], style="red", markup=False)
    found = ask(service, "GET", f"/v1/imports/{import_id}")
    _show(service, found, console)
    return bool(ended["state"] == "succeeded")


def _follow(service: httpx.Client, job: Any, name: str, console: Console) -> Any:  # noqa: ANN401 (JSON)
    """Show a bar until the job has ended; return the job."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(name, total=None)
        while True:
            done = job["progress"]
            progress.update(bar, completed=done["done"], total=done["total"])
            if job["state"] not in ON_ITS_WAY:
                return job
            time.sleep(PAUSE_S)
            job = ask(service, "GET", f"/v1/jobs/{job['id']}")


def _show(service: httpx.Client, found: Any, console: Console) -> None:  # noqa: ANN401 (JSON)
    counts = Table("verdict", "rows")
    for verdict, rows in found["counts"].items():
        if rows:
            counts.add_row(verdict, str(rows))
    console.print(counts)
    for note in found["warnings"]:
        console.print(f"Column {note['column']}: {note['detail']}", style="yellow", markup=False)
    path = f"/v1/imports/{found['id']}"
    wrong = ask(service, "GET", f"{path}/rows?verdict=invalid&limit={ERRORS_SHOWN}")
    for row in wrong["data"]:
        for note in row["errors"]:
            console.print(f"Row {row['row']}, {note['column'] or 'the row'}: {note['detail']}", markup=False)
    if wrong["has_more"]:
        console.print(f"All of them: GET {path}/errors.csv", markup=False)
    console.print(f"The import {found['id']} is {found['state']}.", markup=False)
