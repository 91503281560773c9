"""What a reader of an HTML mail sees of it, as plain text; and how deep its elements are nested."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

DEEPEST: Final = 200
MOST_ELEMENTS: Final = 8_000
MOST_MJML_ELEMENTS: Final = 900
"""The parsers behind MJML and CSS recurse, and a deep document would end the process. What is deep cannot be told for
sure without a parser, so the numbers of elements are limited too: so many fit on a stack of 8 MiB."""
VOID: Final = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
        "mj-image", "mj-divider", "mj-spacer",
    }
)  # fmt: skip
CLOSED_BY_NEXT: Final = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option"})
UNSEEN: Final = frozenset({"head", "style", "script", "title", "template", "noscript"})
BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table",
        "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
_ELEMENT: Final = re.compile(r"<[A-Za-z]")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][^\s/>]*)[^<>]*?(/?)>")
_UNSEEN_STYLE: Final = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)"
    r"|max-height\s*:\s*0(?:px|em|rem|%)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_FONT_SIZE: Final = re.compile(r"(?:^|;)\s*font-size\s*:\s*([^;!]+)", re.IGNORECASE)
_ZERO: Final = re.compile(r"0+(?:\.0+)?(?:px|em|rem|pt|%)?")


def is_too_deep(source: str) -> bool:
    """Whether HTML or MJML has more elements, or deeper ones, than the parsers are trusted with."""
    if len(_ELEMENT.findall(source)) > MOST_ELEMENTS or source.count("<mj-") > MOST_MJML_ELEMENTS:
        return True
    depth = 0
    for closing, name, self_closing in _TAG.findall(source):
        if self_closing or name.lower() in VOID:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        if depth > DEEPEST:
            return True
    return False


def text_of(html: str) -> str:
    """Return what is seen of `html`: blocks on lines of their own, links followed by their URL."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    is_seen: bool
    is_sized: bool
    """Whether its own text has a size: a zero is often set around text that sets its size again."""
    href: str | None
    begins_at: int


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[_Open] = []
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in CLOSED_BY_NEXT and self._open and self._open[-1].tag == tag:
            self._close(tag)
        if tag in BLOCKS:
            self._parts.append("\n")
        if tag in VOID:
            return
        given = {name: value or "" for name, value in attrs}
        style = given.get("style", "")
        above = self._open[-1] if self._open else _Open("", is_seen=True, is_sized=True, href=None, begins_at=0)
        size = _FONT_SIZE.findall(style)
        self._open.append(
            _Open(
                tag,
                above.is_seen and tag not in UNSEEN and "hidden" not in given and not _UNSEEN_STYLE.search(style),
                above.is_sized if not size else _ZERO.fullmatch(size[-1].strip()) is None,
                given.get("href") if tag == "a" else None,
                len(self._parts),
            )
        )

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self._parts.append("\n")
        if any(element.tag == tag for element in self._open):
            self._close(tag)

    def _close(self, tag: str) -> None:
        while self._open:
            element = self._open.pop()
            if element.href and element.is_seen:
                label = "".join(self._parts[element.begins_at :]).strip()
                if label and element.href not in label:
                    self._parts.append(f" ({element.href})")
            if element.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._open or (self._open[-1].is_seen and self._open[-1].is_sized):
            self._parts.append(re.sub(r"\s+", " ", data))

    def text(self) -> str:
        """Return the lines that were seen, without runs of blanks and of empty lines."""
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
