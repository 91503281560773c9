"""What the pages say, in Japanese and in English."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of the unsubscribe page; `{company}` is the tenant's sender."""

    language: str
    ask_title: str
    ask: str
    button: str
    done_title: str
    done: str
    lost_title: str
    lost: str


JAPANESE: Final = Words(
    language="ja",
    ask_title="メールの配信停止",
    ask="{company}からのメールの配信を停止します。よろしければ下のボタンを押してください。",
    button="配信を停止する",
    done_title="配信を停止しました",
    done="今後、{company}からのご案内メールはお送りしません。",
    lost_title="ページが見つかりません",
    lost="リンクが正しくないか、途中で切れています。メールのリンクをもう一度お確かめください。",
)
ENGLISH: Final = Words(
    language="en",
    ask_title="Unsubscribe",
    ask="You will get no more mail from {company}. Press the button below to confirm.",
    button="Unsubscribe",
    done_title="You are unsubscribed",
    done="{company} will send you no more mail.",
    lost_title="Page not found",
    lost="The link is wrong or was cut off. Please check the link in the mail again.",
)


_KNOWN: Final = {words.language: words for words in (JAPANESE, ENGLISH)}


def words_for(language: str | None) -> Words:
    """Return the words for a candidate's language (BCP 47), Japanese when there are none in that."""
    return _KNOWN.get((language or "").lower().partition("-")[0], JAPANESE)
