"""Rendering: what tenants write cannot harm, and what a reader sees is what counts."""

import time

import pytest

from app.sequences import liquid, markup
from app.sequences.liquid import Refused
from app.sequences.render import DISPLAY_ITEMS, Facts, Wording, display_items, render

URL = "https://talent.example.com/u/preview"
SENDER = {
    "name": "株式会社例 & Co",
    "postal_address": "東京都千代田区1-1",
    "complaint_contact": "privacy@example.co.jp",
    "opt_out_notice": "配信はいつでも停止できます。",
}
EVE = {"full_name": '<script>x</script>"\r\nBcc: all@example.com', "tags": ["<i>"]}
FACTS = Facts(EVE, SENDER, URL)
MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section></mj-body></mjml>"


def wording(body: str, text: str | None = None, subject: str = "s", form: str = "html") -> Wording:
    return Wording(subject, "", form, body, text, "ja")


@pytest.mark.parametrize("form", ["html", "mjml"])
def test_values_are_escaped_in_html_and_lose_line_breaks_elsewhere(form: str) -> None:
    source = "{{ candidate.full_name }}"
    rendered = render(wording(MJML.format(source) if form == "mjml" else source, source, source, form), FACTS)
    assert "<script>" not in rendered.html
    assert "&lt;script&gt;" in rendered.html
    assert rendered.subject == rendered.text == '<script>x</script>" Bcc: all@example.com'


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..999999999) reversed %}x{% endfor %}",
        "{{ (1..999999999) | join: ',' }}",
        "{% if (1..999999999) contains 'x' %}{% endif %}",
        "{% for i in (1..101) %}{% for j in (1..101) %}x{% endfor %}{% endfor %}",
        "{% for i in (1..6000) %}x{% endfor %}{% for i in (1..6000) %}x{% endfor %}",
        "{% assign s = '" + "a" * 99_999 + "' %}{{ s | replace: 'a', s }}",
        "{% assign s = '" + "a," * 49_999 + "' %}{{ s | split: ',' | join: s }}",
        "{% assign x = 9 %}{% for i in (1..9999) %}{% assign x = x | times: x %}{% endfor %}{{ x }}",
        "{% assign x = 'aaaa' %}{% for i in (1..99) %}{% assign x = x | append: x %}{% endfor %}",
        "{% if a %}" * 60 + "{% endif %}" * 60,
        "{% include 'a' %}",
        "{% render 'a' %}",
        "<div>" * 5_000,
        "<!--><div a='</div'>" * 9_000,
        "x" * (256 * 1024 + 1),
    ],
)
def test_what_asks_for_too_much_is_refused_soon(source: str) -> None:
    begun = time.monotonic()
    with pytest.raises(Refused) as refused:
        render(wording(source), FACTS)
    assert refused.value.over_limit
    assert time.monotonic() - begun < 2.5


@pytest.mark.parametrize(
    "source", ["{% if %}", "{{ x | safe }}", "{{ x | nothing }}", "{{ 1 | divided_by: 0 }}", "{% x %}"]
)
def test_what_is_not_well_formed_is_refused(source: str) -> None:
    with pytest.raises(Refused) as refused:
        render(wording(source), FACTS)
    assert not refused.value.over_limit


@pytest.mark.parametrize("source", ["hello", "<mjml><mj-body>", "<mjml><mj-body><mj-text></mj-body></mjml>"])
def test_bad_mjml_is_refused(source: str) -> None:
    with pytest.raises(Refused):
        render(wording(source, form="mjml"), FACTS)


def test_mjml_and_css_read_nothing_from_elsewhere() -> None:
    with pytest.raises(Refused):
        render(wording('<mjml><mj-body><mj-include path="/etc/passwd" /></mj-body></mjml>', form="mjml"), FACTS)
    page = '<html><head><link rel="stylesheet" href="file:///etc/passwd"></head><body>x</body></html>'
    assert "root:" not in render(wording(page), FACTS).html


def test_objects_show_their_data_and_nothing_else() -> None:
    source = "{{ candidate.__class__ }}{{ candidate.full_name.upper }}{{ nobody.there }}{{ candidate.tags[0] }}"
    found, missing = liquid.render(source, {"candidate": EVE}, escaped=True)
    assert found == "&lt;i&gt;"
    assert missing == ["candidate.__class__", "candidate.full_name.upper", "nobody.there"]


def test_a_long_subject_is_over_the_limit() -> None:
    assert len(render(wording("x", subject="件" * 250), FACTS).subject) == 250
    with pytest.raises(Refused):
        render(wording("x", subject="件" * 251), FACTS)


@pytest.mark.parametrize("body", ["{{ legal_footer }}", MJML.format("{{ legal_footer }}")])
def test_the_footer_shows_all_display_items(body: str) -> None:
    rendered = render(wording(body, form="mjml" if body.startswith("<mjml") else "html"), FACTS)
    assert display_items(rendered, FACTS) == dict.fromkeys(DISPLAY_ITEMS, True)
    assert URL in rendered.text


@pytest.mark.parametrize(
    "body",
    [
        "<!-- {{ legal_footer }} -->",
        "<html><head><title>{{ sender.name }} {{ legal_footer }}</title></head></html>",
        "{% if false %}{{ legal_footer }}{% endif %}",
        "<div style='display:none'>{{ legal_footer }}</div>",
        "<style>.x { display: none }</style><div class='x'>{{ legal_footer }}</div>",
        "<div style='font-size:0px'>{{ legal_footer }}</div>",
        "<div hidden>{{ legal_footer }}</div>",
        "<div style='max-height:0;overflow:hidden'>{{ legal_footer }}</div>",
        "<a href='{{ unsubscribe_url }}'></a>",
    ],
)
def test_what_nobody_sees_does_not_count(body: str) -> None:
    rendered = render(wording(f"<p>hello</p>{body}"), FACTS)
    assert display_items(rendered, FACTS) == dict.fromkeys(DISPLAY_ITEMS, False)


def test_both_parts_must_show_an_item_and_a_tenant_without_one_shows_none() -> None:
    rendered = render(wording("{{ legal_footer }}", text="hello {{ sender.name }}"), FACTS)
    assert display_items(rendered, FACTS) == {item: item == "name" for item in DISPLAY_ITEMS}
    bare = Facts({}, {}, URL)
    empty = display_items(render(wording("{{ legal_footer }}"), bare), bare)
    assert [item for item, shown in empty.items() if shown] == ["unsubscribe_url"]


def test_the_derived_text_keeps_lines_and_links() -> None:
    html = (
        "<h1>Hello</h1><p>Two\n words</p><ul><li>One<li><a href='https://x.example/a?b=1&amp;c=2'>link</a></ul>"
        "<p style='display:none'>no</p><a href='https://y.example'>https://y.example</a>"
    )
    expected = "Hello\n\nTwo words\n\nOne\nlink (https://x.example/a?b=1&c=2)\n\nhttps://y.example"
    assert markup.text_of(html).replace("\n\n", "\n") == expected.replace("\n\n", "\n")
