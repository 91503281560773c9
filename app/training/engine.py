"""DuckDB as Splink uses it, but for one thing: the level of two names is found once a pair, not once a level."""

import re
from typing import Final

from duckdb import DuckDBPyRelation
from splink import DuckDBAPI

from app.training.settings import NAME

_WHEN: Final = rf"WHEN\s+{re.escape(NAME)} = '\w+' THEN\s+-?\d+"
_CASE: Final = re.compile(rf"CASE\s+(?:{_WHEN}\s+)+END")
_LEVEL: Final = re.compile(r"= '(\w+)' THEN\s+(-?\d+)")


class Engine(DuckDBAPI):
    """A CASE over the levels of one function is a look-up by its value: five to ten times as fast."""

    def _execute_sql_against_backend(self, final_sql: str) -> DuckDBPyRelation:
        return super()._execute_sql_against_backend(_CASE.sub(_look_up, final_sql))


def _look_up(found: re.Match[str]) -> str:
    levels, values = zip(*_LEVEL.findall(found[0]), strict=True)
    return f"list_extract([{', '.join(values)}], list_position([{', '.join(map(repr, levels))}], {NAME}))"
