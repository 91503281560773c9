"""One table, and the same as JSON."""

import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from app.kit import json

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Figure:
    """One measured thing: ours, the yardstick's in the same run, and what it should be."""

    what: str
    ours: float
    unit: str
    yardstick: float | None = None
    target: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.yardstick is None else self.ours / self.yardstick


def show(figures: list[Figure]) -> None:
    """Print the table and write `benchmarks/results.json`."""
    table(figures)
    rows = [{**asdict(figure), "ratio": figure.ratio} for figure in figures]
    RESULTS.write_text(json.pretty({"machine": machine(), "figures": rows}) + "\n")


def table(figures: list[Figure]) -> None:
    """Print the table."""
    printed = Table(title=machine())
    for name in ("what", "ours", "yardstick", "ratio", "target"):
        printed.add_column(name, justify="left" if name in {"what", "target"} else "right")
    for figure in figures:
        yardstick = "" if figure.yardstick is None else f"{figure.yardstick:,.1f}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        printed.add_row(figure.what, f"{figure.ours:,.1f} {figure.unit}", yardstick, ratio, figure.target)
    Console().print(printed)


def machine() -> str:
    """Name the machine and the day."""
    memory = psutil.virtual_memory().total / 2**30
    today = datetime.now(UTC).date()
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {today}"
