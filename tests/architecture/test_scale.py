"""What is larger under `make prove` is run by it."""

from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
SCALED: Final = [
    path
    for path in sorted(TESTS.rglob("test_*.py"))
    if path != Path(__file__) and ("scaled(" in path.read_text() or "TALENTPOOL_PROVE" in path.read_text())
]


@pytest.mark.parametrize("path", SCALED, ids=lambda path: str(path.relative_to(TESTS)))
def test_scaled_tests_are_marked(path: Path) -> None:
    """The size of the proof is asked of one place, and goes with the mark."""
    text = path.read_text()
    assert "TALENTPOOL_PROVE" not in text
    assert "mark.more" in text
