"""The pages as HTML: everything that is put into them is escaped."""

from typing import Final

from jinja2 import Environment, PackageLoader

from app.pages.wording import ENGLISH, JAPANESE, Words

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_PAGE: Final = Environment(autoescape=True, loader=PackageLoader("app.pages", "")).get_template("page.html")


def ask(words: Words, company: str) -> str:
    """Return the page that asks whether to unsubscribe."""
    return _page(words, words.ask_title, words.ask.format(company=company), words.button)


def done(words: Words, company: str) -> str:
    """Return the page that says that it is done."""
    return _page(words, words.done_title, words.done.format(company=company))


def lost() -> str:
    """Return the page for a link that is not ours: nobody knows whose language it should speak."""
    return _page(JAPANESE, f"{JAPANESE.lost_title} / {ENGLISH.lost_title}", f"{JAPANESE.lost} / {ENGLISH.lost}")


def _page(words: Words, title: str, sentence: str, button: str | None = None) -> str:
    return _PAGE.render(language=words.language, title=title, sentence=sentence, button=button)
