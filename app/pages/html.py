"""The pages as HTML: everything that is put into them is escaped."""

from collections.abc import Sequence
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.pages.reader import Reader
from app.pages.record import EDITABLE, Kept
from app.pages.topics import Topic, label
from app.pages.wording import ENGLISH, JAPANESE

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_PAGES: Final = Environment(
    autoescape=True, loader=PackageLoader("app.pages", "templates"), undefined=StrictUndefined, trim_blocks=True
)
_PAGES.globals["label"] = label


def unsubscribing(reader: Reader, topics: Sequence[Topic]) -> str:
    """Return the page that asks whether to unsubscribe, from everything or by topic."""
    return _page("unsubscribe", reader, topics=topics)


def preferences(reader: Reader, topics: Sequence[Topic]) -> str:
    """Return the page that asks what to receive."""
    return _page("preferences", reader, topics=topics)


def chosen(reader: Reader, kept: Sequence[Topic]) -> str:
    """Return the page that says what is received from now on."""
    return _page("chosen", reader, kept=kept)


def notice(reader: Reader, title: str, sentence: str) -> str:
    """Return a page that says one thing."""
    return _page("notice", reader, title=title, sentence=sentence)


def door(reader: Reader, *, hint: str | None, is_sent: bool, is_spent: bool, notice: str | None) -> str:
    """Return the page that mails a code and asks for it; `hint` is where it goes to, None when there is no address."""
    return _page("door", reader, hint=hint, is_sent=is_sent, is_spent=is_spent, notice=notice)


def record(
    reader: Reader, kind: str, kept: Kept, topics: Sequence[Topic], earned: str, notice: str | None = None
) -> str:
    """Return the page that shows what is kept; `earned` is the pass that its buttons act with."""
    shown = {"kind": kind, "kept": kept, "topics": topics, "earned": earned, "notice": notice, "editable": EDITABLE}
    return _page("record", reader, **shown)


def erase_question(reader: Reader, earned: str) -> str:
    """Return the page that asks once more."""
    return _page("erase", reader, earned=earned)


def lost() -> str:
    """Return the page for a link that is not ours: nobody knows whose language it should speak."""
    return _PAGES.get_template("lost.html").render(words=JAPANESE, english=ENGLISH, reader=None)


def _page(name: str, reader: Reader, **shown: object) -> str:
    return _PAGES.get_template(f"{name}.html").render(words=reader.words, reader=reader, **shown)
