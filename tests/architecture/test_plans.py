"""Who is looked up in `candidates` by id is looked up in a tenant that the planner does not look up itself.

A plan by keys is kept, and was made for whoever used its connection first; see app/DECISIONS.md.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[2] / "app"
ASKED = re.compile(r"\b(from|join|update) candidates\b")
BY_ID = re.compile(r"\b(c\.)?(id|merged_into) = (any\(|:|[a-z]+\.[a-z_]+\b)")
NAMED = "tenant_id = {TENANT}"
PLANNED_FOR_THEIR_VALUES = ("pools/repository.py", "sweeps/blocks.py", "sweeps/repository.py")
"""These read whole pools; nothing of them is asked by keys."""
FEWEST = 20


def texts(module: ast.Module) -> Iterator[str]:
    """Yield the strings of a module, each replacement in braces."""
    inner: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            inner.update(id(part) for part in node.values)
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else ast.unparse(ast.JoinedStr([part]))[2:-1]
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def test_who_is_looked_up_by_id_is_looked_up_in_a_named_tenant() -> None:
    found = {
        (str(file.relative_to(APP)), sql)
        for file in APP.rglob("*.py")
        for sql in texts(ast.parse(file.read_text(encoding="utf-8")))
        if ASKED.search(sql) and BY_ID.search(sql)
    }
    assert len(found) > FEWEST
    assert not {(file, sql) for file, sql in found if file not in PLANNED_FOR_THEIR_VALUES and NAMED not in sql}
