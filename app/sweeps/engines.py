"""Which engine finds the pairs of a sweep."""

import os
import shutil
from importlib.util import find_spec
from typing import Final, Literal

from app.kit.errors import Invalid

Engine = Literal["postgres", "duckdb", "spark"]

LARGE: Final = 50_000
"""From so many candidates on, starting Splink costs less than it saves."""
_NEEDED: Final = {"duckdb": ("splink", "duckdb"), "spark": ("splink", "pyspark")}


class EngineMissing(Invalid):
    """The engine that was asked for is not installed: it comes with an extra, and Spark needs Java besides."""

    code = "engine_missing"


def is_installed(engine: Engine) -> bool:
    """Whether the packages of an engine are there, and what they run on."""
    runs = engine != "spark" or "JAVA_HOME" in os.environ or shutil.which("java") is not None
    return runs and all(find_spec(each) is not None for each in _NEEDED.get(engine, ()))


def chosen(asked: Engine | None, pool: int) -> Engine:
    """Return the engine that was asked for, else the one that is fastest for a pool of this size.

    Raises EngineMissing.
    """
    if asked is None:
        return "duckdb" if pool >= LARGE and is_installed("duckdb") else "postgres"
    if not is_installed(asked):
        raise EngineMissing
    return asked
