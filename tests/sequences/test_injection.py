"""Five hundred ways to make a template do more than show: none is evaluated, each ends soon."""

import re
import time
import tracemalloc
from itertools import product
from typing import Final

import pytest

from app.sequences import liquid
from app.sequences.liquid import Refused
from app.sequences.render import Facts, Wording, render

NAMES: Final = (
    "''", "()", "candidate", "candidate.full_name", "self", "request", "config", "sender", "forloop", "nil",
)  # fmt: skip
CHAINS: Final = (
    "__class__", "__class__.__mro__", "__class__.__base__.__subclasses__()", "__init__.__globals__", "__dict__",
    "__class__.__init__.__globals__['os'].popen('id').read()", "constructor.constructor('return 1337*1337')()",
    "_context", "environment", "__doc__",
)  # fmt: skip
MARKS: Final = (("{{", "}}"), ("{%- assign x =", "%}{{ x }}"), ("${", "}"), ("<%=", "%>"), ("#{", "}"))
SUMS: Final = ("1337*1337", "1337 * 1337", "1337|multiply(1337)", "[1337]*1337", "range(1337*1337)")
PAYLOADS: Final = [
    *(f"{left} {name}.{chain} {right}" for (left, right), name, chain in product(MARKS, NAMES, CHAINS)),
    *(f"{left} {each} {right}" for (left, right), each in product(MARKS, SUMS)),
    *(f"{{% {tag} 'os' %}}" for tag in ("import", "include", "render", "load", "extends", "from", "exec", "python")),
]
EVALUATED: Final = re.compile(r"1787569|&lt;class|<class|uid=|built-in|object at 0x|\bmappingproxy\b|Traceback")


def test_there_are_five_hundred() -> None:
    assert len(set(PAYLOADS)) >= 500


def _facts(name: str) -> Facts:
    return Facts(candidate={"full_name": name}, sender={"name": "例"}, unsubscribe_url="https://example.com/u/x")


@pytest.mark.parametrize("place", range(10))
def test_nothing_is_evaluated_as_a_template(place: int) -> None:
    for payload in PAYLOADS[place::10]:
        begun = time.monotonic()
        try:
            shown = render(Wording(payload[:200], "", "html", f"<p>{payload}</p>", payload, "ja"), _facts("山田"))
        except Refused:
            shown = None
        assert time.monotonic() - begun < 2.5
        if shown is not None:
            for text in (shown.subject, shown.html, shown.text):
                assert not EVALUATED.search(text), payload


@pytest.mark.parametrize("place", range(10))
def test_nothing_is_evaluated_as_data(place: int) -> None:
    for payload in PAYLOADS[place::10]:
        named = Wording("{{ candidate.full_name }}", "", "html", "<p>{{ candidate.full_name }}</p>", None, "ja")
        shown = render(named, _facts(f"{payload}\r\nBcc: x@example.com"))
        assert shown.subject == f"{payload} Bcc: x@example.com"
        assert not EVALUATED.search(shown.html)


BOMBS: Final = [
    "{% for a in (1..9999) %}{% for b in (1..9999) %}x{% endfor %}{% endfor %}",
    "{% for a in (1..1000000000) %}x{% endfor %}",
    "{% assign x = 'aaaaaaaaaa' %}" + "{% assign x = x | append: x %}" * 40 + "{{ x }}",
    "{% assign x = 'a' %}" + "{% assign x = x | replace: 'a', 'aaaaaaaaaa' %}" * 12 + "{{ x }}",
    "{% if true %}" * 60 + "x" + "{% endif %}" * 60,
    "{{ 9 | times: 9 }}" * 40_000,
    "{% tablerow i in (1..9999) %}{% for b in (1..9999) %}x{% endfor %}{% endtablerow %}",
]


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_ends_soon_and_small(bomb: str) -> None:
    tracemalloc.start()
    begun = time.monotonic()
    try:
        with pytest.raises(Refused) as refused:
            liquid.render(bomb, {}, escaped=True)
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert refused.value.over_limit
    assert time.monotonic() - begun < 6
    assert most < 100 << 20
