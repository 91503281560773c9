"""What the pages say, in Japanese and in English: each sentence stands in `words.tsv`."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language, by their keys."""

    language: str
    sentences: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return a sentence with its values; raises KeyError."""
        return self.sentences[key].format(**values)

    def known(self, key: str, otherwise: str) -> str:
        """Return a sentence, or `otherwise` where there is none: purposes and types that a tenant made up."""
        return self.sentences.get(key, otherwise)


def words_for(*languages: str | None) -> Words:
    """Return the words for the first of these languages (BCP 47) that there are words for, else Japanese."""
    asked = ((language or "").lower().partition("-")[0] for language in languages)
    return next((WORDS[language] for language in asked if language in WORDS), JAPANESE)


def accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language (RFC 9110, 12.5.4), the most wanted first."""
    wanted = []
    for place, part in enumerate(header.split(",")[:20]):
        language, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), place, language.strip()))
        except ValueError:
            continue
    return [language for weight, _, language in sorted(wanted) if weight < 0]


def _read() -> dict[str, Words]:
    text = files("app.pages").joinpath("words.tsv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        language: Words(language, {row["key"]: row[language].replace("\\n", "\n") for row in rows})
        for language in ("ja", "en")
    }


WORDS: Final = _read()
JAPANESE: Final = WORDS["ja"]
ENGLISH: Final = WORDS["en"]
