"""What a reader of an HTML mail sees of it, as plain text; and how deep its elements are nested."""

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
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
UNSEEN: Final = frozenset({"head", "template"})
BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table",
        "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
_ELEMENT: Final = re.compile(r"<[A-Za-z]")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][^\s/>]*)[^<>]*?(/?)>")
_REST_OF_TAG: Final = r"""((?:[^>"']|"[^"]*"|'[^']*')*+)>"""
_RAW: Final = "script|style|title|noscript|noembed|noframes|iframe|xmp|plaintext"
"""What these hold are no elements, and nothing of it is read."""
_MARK: Final = re.compile(
    rf"<!--.*?(?:-->|\Z)|<({_RAW})\b{_REST_OF_TAG}.*?(?:</\1\s*>|\Z)|<[!?][^>]*>|<(/?)([a-z][^\s/>]*){_REST_OF_TAG}",
    re.IGNORECASE | re.DOTALL,
)
"""Splits a page into what is read and, of each mark between, its parts; the last three are those of a tag."""
_PARTS: Final = 6
_ATTRIBUTE: Final = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>]+))?""")
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
    """Return what is seen of `html`, a page as parsers write it: blocks on lines of their own, links with their URL."""
    reader = _Reader()
    pieces = _MARK.split(html)
    reader.read(pieces[0])
    for place in range(1, len(pieces), _PARTS):
        closing, name, rest, text = pieces[place + 2 : place + _PARTS]
        if name is not None:
            reader.close(name.lower()) if closing else reader.open(_tag(name.lower(), rest))
        if text:
            reader.read(text)
    return reader.text()


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    is_seen: bool
    is_sized: bool | None
    """Whether its own text has a size, None where it does not say: a zero is often set around text that sets one."""
    href: str | None


@lru_cache(maxsize=4096)
def _tag(name: str, rest: str) -> _Tag:
    """Read a tag; those of one template are nearly the same in every mail."""
    given = {key.lower(): unescape(value.strip("\"'")) for key, value in _ATTRIBUTE.findall(rest)}
    style = given.get("style", "")
    size = _FONT_SIZE.findall(style)
    return _Tag(
        name,
        is_seen=name not in UNSEEN and "hidden" not in given and not _UNSEEN_STYLE.search(style),
        is_sized=_ZERO.fullmatch(size[-1].strip()) is None if size else None,
        href=given.get("href") if name == "a" else None,
    )


@dataclass(frozen=True, slots=True)
class _Open:
    tag: _Tag
    is_seen: bool
    is_sized: bool
    begins_at: int


_PAGE: Final = _Open(_Tag("", is_seen=True, is_sized=True, href=None), is_seen=True, is_sized=True, begins_at=0)


class _Reader:
    def __init__(self) -> None:
        self._open = [_PAGE]
        self._parts: list[str] = []

    def open(self, tag: _Tag) -> None:
        if tag.name in CLOSED_BY_NEXT and self._open[-1].tag.name == tag.name:
            self._close(tag.name)
        if tag.name in BLOCKS:
            self._parts.append("\n")
        if tag.name in VOID:
            return
        above = self._open[-1]
        is_sized = above.is_sized if tag.is_sized is None else tag.is_sized
        self._open.append(_Open(tag, above.is_seen and tag.is_seen, is_sized, len(self._parts)))

    def close(self, name: str) -> None:
        if name in BLOCKS:
            self._parts.append("\n")
        if any(element.tag.name == name for element in self._open):
            self._close(name)

    def _close(self, name: str) -> None:
        while True:
            element = self._open.pop()
            if element.tag.href and element.is_seen:
                label = "".join(self._parts[element.begins_at :]).strip()
                if label and element.tag.href not in label:
                    self._parts.append(f" ({element.tag.href})")
            if element.tag.name == name:
                return

    def read(self, text: str) -> None:
        if self._open[-1].is_seen and self._open[-1].is_sized:
            self._parts.append(unescape(text).replace("\n", " "))

    def text(self) -> str:
        """Return the lines that were seen, without runs of blanks and of empty lines."""
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
