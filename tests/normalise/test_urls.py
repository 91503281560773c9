"""Profile URLs: one key for a person's page, none for what is not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.normalise.urls import parse_profile_url


@pytest.mark.parametrize(
    ("raw", "kind", "key"),
    [
        ("https://www.linkedin.com/in/Taro-Yamada/", "linkedin", "linkedin.com/in/taro-yamada"),
        ("jp.linkedin.com/in/taro-yamada?trk=x", "linkedin", "linkedin.com/in/taro-yamada"),
        ("http://linkedin.com/in/taro-yamada/ja#top", "linkedin", "linkedin.com/in/taro-yamada"),
        ("https://www.linkedin.com/in/%E5%A4%AA%E9%83%8E/", "linkedin", "linkedin.com/in/太郎"),
        ("https://github.com/Taro", "github", "github.com/taro"),
        ("https://twitter.com/taro", "x", "x.com/taro"),
        ("https://mobile.twitter.com/@taro?s=21", "x", "x.com/taro"),
        ("x.com/Taro/", "x", "x.com/taro"),
        ("https://ja-jp.facebook.com/taro.yamada", "facebook", "facebook.com/taro.yamada"),
        ("https://m.facebook.com/profile.php?id=10001&x=1", "facebook", "facebook.com/10001"),
        ("https://www.facebook.com/people/Taro-Yamada/10001", "facebook", "facebook.com/10001"),
        ("https://www.wantedly.com/id/taro", "wantedly", "wantedly.com/id/taro"),
        ("https://qiita.com/taro", "qiita", "qiita.com/taro"),
        ("https://zenn.dev/taro", "zenn", "zenn.dev/taro"),
        ("https://connpass.com/user/taro/open/", "connpass", "connpass.com/user/taro"),
        ("https://stackoverflow.com/users/123/taro", "stackoverflow", "stackoverflow.com/users/123"),
    ],
)
def test_a_profile_has_one_key(raw: str, kind: str, key: str) -> None:
    found = parse_profile_url(raw)
    assert found is not None
    assert (found.type, found.key) == (kind, key)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "https://example.com/taro",
        "https://www.linkedin.com/company/acme",
        "https://github.com/acme/tool",
        "https://github.com/",
        "https://github.com/features",
        "https://x.com/taro/status/1",
        "https://docs.github.com/en",
        "taro@github.com/x y",
        "javascript://x.com/a",
        "https://[::1",
        "https://evil.com/linkedin.com/in/x",
        "https://linkedin.com.evil.com/in/x",
        "\x00",
        "\ud800",
        "x" * 5000,
    ],
)
def test_what_is_no_profile(raw: str) -> None:
    assert parse_profile_url(raw) is None


@given(
    st.text(st.characters(exclude_categories=()), max_size=30).map(lambda text: f"https://x.com/{text}")
    | st.text(max_size=30)
)
def test_reading_a_key_gives_the_key(text: str) -> None:
    found = parse_profile_url(text)
    if found is not None and "%" not in found.key:
        again = parse_profile_url(found.key)
        assert again is None or again == found
