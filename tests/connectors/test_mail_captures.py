"""Every capture of a sender of mail means what a golden file states. `TALENTPOOL_GOLDEN=1` writes those files anew."""

import os

import pytest

from app.kit import json
from tests.connectors.golden import FIXTURES, captures, expected, meaning
from tests.connectors.mail_tools import PARSED, parse


@pytest.mark.parametrize("provider", PARSED)
def test_captures_mean_what_the_golden_file_states(provider: str) -> None:
    read = {path.name: meaning(parse(provider, path)) for path in captures(provider)}
    assert read
    if os.environ.get("TALENTPOOL_GOLDEN") == "1":
        (FIXTURES / provider / "expected.json").write_text(json.pretty(read) + "\n")
    assert read == expected(provider)
