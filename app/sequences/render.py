"""From a wording and what is known of one candidate to subject, HTML and text, and what the law asks to be in them.

The display items are those of the Japanese act on the regulation of transmission of specified electronic mail (article
4) and its ordinance: who sends, where they are, whom to complain to, that one may refuse, and the link to do so.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import css_inline
import mrml
from liquid import Markup

from app.kit import json
from app.sequences import liquid, markup
from app.sequences.liquid import Refused

SUBJECT_LENGTH: Final = 250
DISPLAY_ITEMS: Final = ("name", "postal_address", "complaint_contact", "opt_out_notice", "unsubscribe_url")
SENDER_FIELDS: Final = ("name", "from_email", "reply_to", "postal_address", "complaint_contact", "opt_out_notice")
_BREAKS: Final = re.compile(r"[\r\n\x0b\x0c\x85\u2028\u2029]+")
_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_UNSEEN: Final = "display:none;max-height:0;overflow:hidden;mso-hide:all"
_STOP: Final = {"ja": "配信停止"}
_LABELS: Final = {"ja": ("お問い合わせ", "住所")}


@dataclass(frozen=True, slots=True)
class Wording:
    """One revision of a template, as it was written."""

    subject: str
    preheader: str
    format: str
    body: str
    text: str | None
    language: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a wording may speak of; `unsubscribe_url` may be inert."""

    candidate: Mapping[str, Any]
    sender: Mapping[str, Any]
    unsubscribe_url: str
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail for one candidate; `missing` are variables that the wording asks for and that do not exist."""

    subject: str
    preheader: str
    html: str
    text: str
    missing: list[str] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """The length of both parts in UTF-8."""
        return len(self.html.encode()) + len(self.text.encode())


def render(wording: Wording, facts: Facts) -> Rendered:
    """Render a wording; raises Refused."""
    known = _known(facts)
    rich = {**known, "legal_footer": _footer(wording.language, facts, rich=True)}
    plain = {**_flat(known), "legal_footer": _footer(wording.language, facts, rich=False)}
    subject, missing = liquid.render(wording.subject, plain, escaped=False)
    preheader, more = liquid.render(wording.preheader, plain, escaped=False)
    body, yet_more = liquid.render(wording.body, rich, escaped=True)
    text, rest = liquid.render(wording.text, plain, escaped=False) if wording.text is not None else (None, [])
    subject, preheader = one_line(subject), one_line(preheader)
    page = _page(wording.format, body, preheader)
    rendered = Rendered(
        subject,
        preheader,
        page,
        _newlines(text) if text is not None else markup.text_of(page),
        sorted({*missing, *more, *yet_more, *rest}),
    )
    if len(subject) > SUBJECT_LENGTH or rendered.size_bytes > 2 * liquid.OUTPUT_BYTES:
        raise Refused(over_limit=True)
    return rendered


def display_items(rendered: Rendered, facts: Facts) -> dict[str, bool]:
    """Say of each display item whether a reader finds the tenant's value for it, both in the HTML and in the text."""
    seen = [_squeezed(markup.text_of(rendered.html)), _squeezed(rendered.text)]
    values = {**{item: facts.sender.get(item) for item in DISPLAY_ITEMS}, "unsubscribe_url": facts.unsubscribe_url}
    return {item: bool(value) and all(_squeezed(str(value)) in text for text in seen) for item, value in values.items()}


def one_line(text: str) -> str:
    """Return `text` without line breaks of any kind."""
    return _BREAKS.sub(" ", text).strip()


def _known(facts: Facts) -> dict[str, Any]:
    """Return the variables, of JSON's own types."""
    known = {
        "candidate": dict(facts.candidate),
        "sender": {name: facts.sender.get(name) or "" for name in SENDER_FIELDS},
        "content": dict(facts.content or {}),
        "unsubscribe_url": facts.unsubscribe_url,
        "preferences_url": facts.unsubscribe_url,
    }
    plain: dict[str, Any] = json.loads(json.dumps(known))
    return plain


def _flat(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, list):
        return [_flat(item) for item in value]
    if isinstance(value, dict):
        return {key: _flat(item) for key, item in value.items()}
    return value


def _footer(language: str, facts: Facts, *, rich: bool) -> str:
    contact, place = _LABELS.get(language.partition("-")[0], ("Contact", "Address"))
    stop = _STOP.get(language.partition("-")[0], "Unsubscribe")
    sender = {name: one_line(str(facts.sender.get(name) or "")) for name in SENDER_FIELDS}
    lines = [
        sender["name"],
        f"{place}: {sender['postal_address']}",
        f"{contact}: {sender['complaint_contact']}",
        sender["opt_out_notice"],
    ]
    if not rich:
        return "\n".join([*lines, f"{stop}: {facts.unsubscribe_url}"])
    link = f'<a href="{html.escape(facts.unsubscribe_url)}">{stop}</a>'
    return Markup("<br />".join([*(html.escape(line) for line in lines), link]))


def _page(form: str, body: str, preheader: str) -> str:
    page = _shallow(_from_mjml(_shallow(body)) if form == "mjml" else body)
    if len(page.encode()) > liquid.OUTPUT_BYTES:
        raise Refused(over_limit=True)
    if preheader:
        unseen = f'<div style="{_UNSEEN}">{html.escape(preheader)}</div>'
        place = _BODY.search(page)
        page = page[: place.end()] + unseen + page[place.end() :] if place else unseen + page
    try:
        return _inliner().inline(page)
    except css_inline.InlineError as error:
        raise Refused(over_limit=False) from error


def _shallow(source: str) -> str:
    if markup.is_too_deep(source):
        raise Refused(over_limit=True)
    return source


def _from_mjml(source: str) -> str:
    try:
        return str(mrml.to_html(source).content)
    except OSError as error:  # what the library raises for everything that it cannot parse
        raise Refused(over_limit="include" in str(error)) from error


@cache
def _inliner() -> css_inline.CSSInliner:
    """Style sheets come from the mail itself; nothing is read from a file or a network."""
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True, keep_at_rules=True)


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _newlines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()
