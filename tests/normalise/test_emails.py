"""E-mail addresses: validity, display value, match key, role mailboxes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.emails import parse_email

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40) | st.from_regex(
    r"[a-z.+\"]{1,12}@[a-z.]{1,8}(gmail\.com|docomo\.ne\.jp|me\.com)", fullmatch=True
)


@pytest.mark.parametrize(
    ("raw", "value", "key"),
    [
        ("Taro.Yamada+x@gmail.com", "taro.yamada+x@gmail.com", "taroyamada@gmail.com"),
        ("taroyamada@googlemail.com", "taroyamada@googlemail.com", "taroyamada@gmail.com"),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "taro@example.com", "taro@example.com"),
        (" Taro <TARO@Example.com> ", "taro@example.com", "taro@example.com"),
        ("mailto:taro@example.com", "taro@example.com", "taro@example.com"),
        ("taro+jobs@outlook.jp", "taro+jobs@outlook.jp", "taro@outlook.jp"),
        ("taro+jobs@me.com", "taro+jobs@me.com", "taro@icloud.com"),
        ("ta.ro+jobs@example.com", "ta.ro+jobs@example.com", "ta.ro+jobs@example.com"),
        ("ta.ro+x@yahoo.co.jp", "ta.ro+x@yahoo.co.jp", "ta.ro+x@yahoo.co.jp"),
        ("taro..yamada.@docomo.ne.jp", "taro..yamada.@docomo.ne.jp", "taro..yamada.@docomo.ne.jp"),
        ('"taro..y"@ezweb.ne.jp', "taro..y@ezweb.ne.jp", "taro..y@ezweb.ne.jp"),
        ("taro@日本語.jp", "taro@xn--wgv71a119e.jp", "taro@xn--wgv71a119e.jp"),
    ],
)
def test_an_address_is_read(raw: str, value: str, key: str) -> None:
    found = parse_email(raw)
    assert found is not None
    assert (found.value, found.key, found.is_role) == (value, key, False)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "taro",
        "taro@",
        "@example.com",
        "taro@localhost",
        "ta ro@example.com",
        "a..b@gmail.com",
        ".a@example.com",
        "a@b@c.jp",
        "taro@-x.com",
        "taro@x..com",
        "taro@1.2.3.4",
        "太郎@example.com",
        f"{'a' * 65}@x.jp",
        "a@" + "x" * 64 + ".jp",
        "a\x00b@x.jp",
        "a@" + "x." * 10_000 + "jp",
        "<" * 100_000,
    ],
)
def test_what_is_no_address(raw: str) -> None:
    assert parse_email(raw) is None


@pytest.mark.parametrize(
    "local",
    ["info", "office", "contact", "support", "sales", "jobs", "recruit", "saiyo", "jinji", "hr", "admin", "noreply"],
)
def test_role_mailboxes(local: str) -> None:
    found = parse_email(f"{local.upper()}@example.co.jp")
    assert found is not None
    assert found.is_role


@pytest.mark.parametrize(
    ("local", "is_role"), [("no-reply", True), ("info+x", True), ("infante", False), ("hr.tanaka", False)]
)
def test_names_that_look_like_roles(local: str, is_role: bool) -> None:
    found = parse_email(f"{local}@example.co.jp")
    assert found is not None
    assert found.is_role is is_role


@given(ANY_TEXT)
def test_reading_what_was_read_changes_nothing(text: str) -> None:
    found = parse_email(text)
    if found is not None:
        again, by_key = parse_email(found.value), parse_email(found.key)
        assert again == found
        assert by_key is not None
        assert by_key.key == found.key
