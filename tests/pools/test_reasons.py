"""The language of the reasons is what the header asks for, else the tenant's."""

import pytest

from app.pools.reasons import language_of


@pytest.mark.parametrize(
    ("accepted", "default", "language"),
    [
        (None, "ja", "ja"),
        (None, "en-US", "en"),
        ("", "fr", "en"),
        ("en", "ja", "en"),
        ("ja-JP, en;q=0.9", "en", "ja"),
        ("en;q=0.1, ja;q=0.9", "en", "ja"),
        ("de, fr;q=x", "ja", "ja"),
        ("en;q=nonsense, ja;q=0.1", "en", "ja"),
    ],
)
def test_the_language(accepted: str | None, default: str, language: str) -> None:
    assert language_of(accepted, default) == language
