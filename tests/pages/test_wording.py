"""Each sentence is there in both languages, with the same values in it."""

import string
from pathlib import Path

import pytest

from app.pages import html
from app.pages.wording import ENGLISH, JAPANESE, accepted, words_for
from app.touchpoints.kinds import TYPES

TEMPLATES = sorted(Path(html.__file__).parent.glob("templates/*.html"))


def _values(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_say_the_same() -> None:
    assert JAPANESE.sentences.keys() == ENGLISH.sentences.keys()
    for key, sentence in JAPANESE.sentences.items():
        assert sentence.strip(), key
        assert _values(sentence) == _values(ENGLISH.sentences[key]), key


def test_every_type_of_touchpoint_has_a_name() -> None:
    assert {f"type_{each}" for each in TYPES} <= JAPANESE.sentences.keys()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_pages_need_no_script_and_fetch_nothing(path: Path) -> None:
    page = path.read_text()
    for word in ("<script", "<img", "<link", "http://", "https://", "onclick", "|safe", "autoescape false"):
        assert word not in page


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        ("en", ["en"]),
        ("fr;q=0.1, en-US;q=0.9,ja", ["ja", "en-US", "fr"]),
        ("en;q=x, ja", ["ja"]),
        ("en;q=0", []),
    ],
)
def test_languages_are_read_by_their_weights(header: str, found: list[str]) -> None:
    assert [each for each in accepted(header) if each] == found
    assert words_for(None, "fr", "de").language == "ja"
