"""The rules of the layout that no tool checks, one test each."""

import ast
import re
from pathlib import Path
from typing import Final

import grimp
import pytest

ROOT: Final = Path(__file__).parents[2]
SLICES: Final = sorted(
    path.parent for path in (ROOT / "app").glob("*/__init__.py") if path.parent.name not in {"kit", "demo", "normalise"}
)
FACE: Final = {"service", "schemas", "events", "errors"}
LAYERS: Final = FACE | {"routes", "tasks", "repository", "models"}
COMMON: Final = {"kit", "settings", "main", "api", "openapi", "wiring", "normalise"}
CEILING: Final = 400
FOLDERS: Final = ("app", "workers", "tests", "benchmarks")
SOURCES: Final = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]


def _allowed(source: list[str], target: list[str]) -> bool:
    if len(target) < 3 or target[0] != "app" or target[1] in COMMON or source[1:2] == target[1:2]:
        return True
    if source[0] == "workers":
        return target[2] == "tasks"
    if target[2] in FACE or target[2] not in LAYERS or target[1:] == ["tenancy", "bootstrap"]:
        return True
    if source[1:] == ["api"]:
        return target[2] == "routes"
    return source[2:] == ["repository"] and target[2] == "models"


def test_slices_meet_at_their_face() -> None:
    graph = grimp.build_graph("app", "workers")
    pairs = ((a, b) for a in graph.modules for b in graph.find_modules_directly_imported_by(a))
    assert [f"{a} -> {b}" for a, b in pairs if not _allowed(a.split("."), b.split("."))] == []


@pytest.mark.parametrize("folder", SLICES, ids=lambda folder: folder.name)
def test_a_slice_says_its_words_and_what_it_does_not_own(folder: Path) -> None:
    tree = ast.parse((folder / "__init__.py").read_text())
    docstring = ast.get_docstring(tree) or ""
    assert len(tree.body) == 1
    for part in ("Words:", "Owns:", "Does NOT own:"):
        assert part in docstring


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_small_and_named_by_its_noun(path: Path) -> None:
    assert path.read_text().count("\n") <= CEILING
    assert path.stem not in {"utils", "helpers", "common", "misc"}


def test_the_edge_commits_and_no_slice_does() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for folder in SLICES
        for path in folder.rglob("*.py")
        if re.search(r"\bcommit\(", path.read_text())
    ]
    assert guilty == []


def test_every_select_of_a_repository_begins_at_visible() -> None:
    guilty = []
    for path in (ROOT / "app").rglob("repository.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or function.name == "visible":
                continue
            calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
            if any(isinstance(call, ast.Name) and call.id == "select" for call in calls):
                guilty.append(f"{path.relative_to(ROOT)}:{function.name}")
    assert guilty == []


def test_nothing_is_unfinished() -> None:
    marks = re.compile(r"#\s*(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b|raise NotImplemented" + "Error")
    assert [str(path) for path in SOURCES if marks.search(path.read_text())] == []


def test_dependencies_are_coroutines() -> None:
    """FastAPI sends plain functions to a thread, which costs more than most of them do."""
    guilty = []
    for path in (ROOT / "app").rglob("*.py"):
        tree = ast.parse(path.read_text())
        plain = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Depends"]
        guilty += [f"{path.stem}:{ast.unparse(call.args[0])}" for call in calls if ast.unparse(call.args[0]) in plain]
    assert guilty == []
