"""Why somebody is on the approach list: one sentence for each thing that their score is made of."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

Language = Literal["ja", "en"]

_DEEDS: Final[dict[str, tuple[str, str]]] = {
    "casual_interview": ("カジュアル面談に参加", "Came to a casual interview"),
    "applied": ("応募", "Applied"),
    "replied": ("メールに返信", "Replied to a mail"),
    "attended": ("イベントに参加", "Attended an event"),
    "met": ("面談・面接", "Met the company"),
    "spoke": ("電話で会話", "Spoke on the phone"),
    "asked": ("フォームを送信", "Sent in a form"),
    "registered": ("イベントに申込", "Registered for an event"),
    "downloaded": ("資料をダウンロード", "Downloaded content"),
    "clicked": ("メールのリンクをクリック", "Clicked a link in a mail"),
    "updated_profile": ("プロフィールを更新", "Updated the profile"),
    "social": ("SNSで反応", "Reacted on a social network"),
    "viewed": ("ページを閲覧", "Viewed a page"),
    "opened": ("メールを開封", "Opened a mail"),
    "did_not_come": ("イベントを無断欠席", "Did not come to an event"),
    "cancelled": ("イベントをキャンセル", "Cancelled an event"),
    "unsubscribed": ("配信を停止", "Unsubscribed"),
    "complained": ("迷惑メールとして報告", "Reported a mail as spam"),
}
"""The rules of the model that every tenant starts with; other rules are called by their own names."""


class Part(Protocol):
    """A contribution of a score."""

    @property
    def kind(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def decayed_points(self) -> float: ...
    @property
    def occurred_at(self) -> datetime | None: ...


def sentences(parts: Iterable[Part], language: Language, zone: ZoneInfo) -> list[str]:
    """Say what a score is made of, one sentence a rule, what weighs most first; dates are those of `zone`."""
    by_rule: dict[tuple[bool, str], list[Part]] = {}
    for part in parts:
        by_rule.setdefault((part.kind == "fit", part.rule), []).append(part)
    weighed = sorted(by_rule.items(), key=lambda item: (-abs(_points(item[1])), item[0]))
    return [_sentence(rule, group, language, zone) for (_, rule), group in weighed]


def _points(parts: Sequence[Part]) -> float:
    return math.fsum(part.decayed_points for part in parts)


def _sentence(rule: str, parts: Sequence[Part], language: Language, zone: ZoneInfo) -> str:
    points = f"{_points(parts):+.1f}"
    last = max((part.occurred_at for part in parts if part.occurred_at is not None), default=None)
    if last is None:
        return f"条件「{rule}」に合致: {points}点" if language == "ja" else f"Meets “{rule}”: {points} points."
    day, times = last.astimezone(zone).date().isoformat(), len(parts)
    japanese, english = _DEEDS.get(rule, (f"「{rule}」", f"“{rule}”"))
    if language == "ja":
        when = f"{day}" if times == 1 else f"{times}回、最近は{day}"
        return f"{japanese}({when}): {points}点"
    when = f"on {day}" if times == 1 else f"{times} times, last on {day}"
    return f"{english} {when}: {points} points."


def language_of(accepted: str | None, default: str) -> Language:
    """Choose between Japanese and English by an Accept-Language header (RFC 9110, 12.5.4), else by `default`."""
    ranked: list[tuple[float, str]] = []
    for item in (accepted or "").split(","):
        tag, _, parameters = item.strip().partition(";")
        language = tag.partition("-")[0].lower()
        if language in ("ja", "en"):
            ranked.append((-_quality(parameters), language))
    best = min(ranked, default=None, key=lambda pair: pair[0])
    return "ja" if (best[1] if best else default.partition("-")[0].lower()) == "ja" else "en"


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
