"""A picture of an evaluation as SVG: precision over recall, and the weights of right and wrong pairs."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from app.training.measure import Point, Scored, Truth, curve

_WIDTH: Final = 400
_HEIGHT: Final = 280
_EDGE: Final = 56
_BIN: Final = 2
"""Bits of one bar."""
_RIGHT: Final = "#2a6f97"
_WRONG: Final = "#d1495b"
_MOST_POINTS: Final = 800


def draw(title: str, found: Sequence[Scored], truth: Truth) -> str:
    """Return the SVG of scored pairs; bars have a logarithmic height, so that few wrong pairs are seen beside many."""
    points = curve(found, truth)
    figures = [
        *_panel(0, "recall", "precision", _curve(points)),
        *_panel(1, "weight in bits", "pairs", _bars(found, truth)),
    ]
    width, height = 2 * (_WIDTH + 2 * _EDGE), _HEIGHT + 2 * _EDGE
    font = 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {font}>'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    name = f'<text x="{_EDGE}" y="24" font-size="16">{escape(title)}</text>'
    return "\n".join((head, ground, name, *figures, "</svg>", ""))


def _panel(column: int, across: str, up: str, content: Iterable[str]) -> Iterator[str]:
    left = _EDGE + column * (_WIDTH + 2 * _EDGE)
    yield f'<g transform="translate({left} {_EDGE})">'
    yield f'<path d="M0 0V{_HEIGHT}H{_WIDTH}" fill="none" stroke="#666"/>'
    yield f'<text x="{_WIDTH / 2}" y="{_HEIGHT + 40}" text-anchor="middle">{across}</text>'
    yield f'<text x="0" y="-10">{up}</text>'
    yield from content
    yield "</g>"


def _curve(points: Sequence[Point]) -> Iterator[str]:
    for tick in (0.0, 0.5, 1.0):
        yield _across(tick * _WIDTH, f"{tick:g}")
        yield _up(_HEIGHT * (1 - tick), f"{tick:g}")
    step = max(1, len(points) // _MOST_POINTS)
    kept = [*points[::step], *points[-1:]]
    line = " ".join(f"{point.recall * _WIDTH:.1f},{_HEIGHT * (1 - point.precision):.1f}" for point in kept)
    yield f'<polyline points="{line}" fill="none" stroke="{_RIGHT}" stroke-width="2"/>'


def _bars(found: Sequence[Scored], truth: Truth) -> Iterator[str]:
    bars = Counter((math.floor(each.weight / _BIN), truth.is_same(each.left, each.right)) for each in found)
    if not bars:
        return
    first, last = min(at for at, _ in bars), max(at for at, _ in bars)
    wide, high = _WIDTH / (last - first + 1), _HEIGHT / math.log10(10 * max(bars.values()))
    for tick in range(first, last + 1, max(1, (last - first) // 8)):
        yield _across((tick - first) * wide, str(tick * _BIN))
    for power in range(math.ceil(math.log10(10 * max(bars.values())))):
        yield _up(_HEIGHT - (power + 1) * high, f"{10**power:,}")
    for (at, is_right), many in sorted(bars.items()):
        tall = math.log10(10 * many) * high
        x, colour = (at - first) * wide + (0 if is_right else wide / 2), _RIGHT if is_right else _WRONG
        yield f'<rect x="{x:.1f}" y="{_HEIGHT - tall:.1f}" width="{wide / 2:.1f}" height="{tall:.1f}" fill="{colour}"/>'
    yield f'<text x="{_WIDTH}" y="-10" text-anchor="end"><tspan fill="{_RIGHT}">one person</tspan> · '
    yield f'<tspan fill="{_WRONG}">two people</tspan></text>'


def _across(x: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{_HEIGHT + 18}" text-anchor="middle">{text}</text>'


def _up(y: float, text: str) -> str:
    return f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
