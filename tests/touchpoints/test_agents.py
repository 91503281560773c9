import pytest

from app.touchpoints.agents import address_class, agent_class, method_class

SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (None, "none"),
        ("", "empty"),
        ("  ", "empty"),
        ("Mozilla/5.0", "bare_mozilla"),
        (CHROME, "browser"),
        ("Mozilla/4.0 (compatible; MSIE 6.1; Windows XP; .NET CLR 1.1.4322; .NET CLR 2.0.50727)", "browser"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0", "browser"),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 Chrome/90 Safari/537.36", "browser"),
        (SAFARI, "mail_program"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0", "mail_program"),
        ("Mozilla/4.0 (compatible; MSIE 7.0; Microsoft Outlook 16.0; ms-office)", "mail_program"),
        ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", "scanner"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "scanner"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "scanner"),
        ("Proofpoint URL Defense", "scanner"),
        ("Barracuda Sentinel", "scanner"),
        ("python-requests/2.32", "scanner"),
        ("curl/8.5.0", "scanner"),
        (
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "image_proxy",
        ),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "image_proxy"),
        ("something/1.0", "other"),
    ],
)
def test_agents(user_agent: str | None, expected: str) -> None:
    assert agent_class(user_agent) == expected


def test_addresses_and_methods() -> None:
    assert [address_class(each) for each in ("8.8.8.8", "10.0.0.1", "::1", "x", None)] == [
        "public",
        "private",
        "private",
        "none",
        "none",
    ]
    assert [method_class(each) for each in ("head", "GET", None)] == ["head", "other", "none"]
