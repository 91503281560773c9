"""Lists of who came to an event, as Peatix, Doorkeeper and connpass let its organiser download them.

None of the three describes its file: the headers are those that organisers' own tools read. Questions of the organiser
are columns, too, and come under whatever they were called.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, Literal

from app.imports.columns import field_of_header, header_key
from app.imports.happening import Event, Happening
from app.normalise.dates import parse_date
from app.normalise.text import clean

Presence = Literal["registered", "cancelled", "attended", "no_show"]

CONSENTING: Final = frozenset({"peatix"})
"""Whose lists an organiser may use beyond the event only for people who have agreed to that, one by one."""
PEOPLE_HAVE_IDS: Final = frozenset({"connpass"})

_OF_TICKETS: Final = """
-: 販売id salesid 注文id orderid 受付番号 チケット番号 ticketnumber チケット名 ticketname
-: チケット ticket チケット種別 tickettype no
"""
_LISTS: Final = {
    "peatix": """
full_name: 参加者名 attendeename attendee
registration: ステータス status
registered_on: 注文日時 購入日時 申込日時 orderdate
attendance: 出席 出欠 チェックイン チェックイン日時 入場 checkin checkedin
""",
    "doorkeeper": """
registration: ステータス 参加ステータス status
registered_on: 申込日時 申し込み日時 登録日時 申込日 registeredat registrationdate
attendance: 出席 出欠 チェックイン チェックイン日時 attended attendedat checkedin
""",
    "connpass": """
external_ids: ユーザー名
other_names: 表示名
registration: 参加ステータス
attendance: 出欠ステータス
registered_on: 更新日時
-: 参加枠名 利用開始日 コメント paypal取引id 請求書id
""",
}
"""Field path: headers as `header_key` spells them; `-` is for those that are left out."""


def _read(lines: str) -> dict[str, str | None]:
    read = (line.partition(": ") for line in lines.split("\n") if line)
    return {name: None if field == "-" else field for field, _, names in read for name in names.split()}


_DIALECTS: Final = {provider: _read(_OF_TICKETS + lines) for provider, lines in _LISTS.items()}
PROVIDERS: Final = frozenset(_DIALECTS)

_CANCELLED: Final = re.compile("キャンセル(?!待)|払い?戻|返金|辞退|cancel|refund")
_ABSENT: Final = re.compile("欠席|不参加|未参加|未出席|未入場|未チェックイン|noshow|absent")
_PRESENT: Final = re.compile(
    "出席|参加済|入場済|来場|チェックイン|^参加$|^済み?$|attended|checkedin|present|^(yes|true|1|x|✓|✔|○|〇|◯)$"
)
_ABSENT_MARKS: Final = frozenset({"no", "false", "0", "×", "-", "未", "未確認"})
_BLANKS: Final = re.compile(r"[\s_\-]+")
_AGREED: Final = re.compile("同意|承諾|agree|consent|^(はい|yes|true|1|on|✓|✔|○|〇|◯)$")
_DISAGREED: Final = re.compile("しない|しません|ません|不同意|拒否|いいえ|disagree|donot|don't|^(no|false|0|×)$")


def mapping_of(provider: str, header: Sequence[str]) -> dict[str, str | None]:
    """Say what the columns of such a list hold, as far as that differs from other files; null leaves one out."""
    known = _DIALECTS[provider]
    found: dict[str, str | None] = {}
    for name in header:
        key = header_key(name)
        if key in known:
            found[name] = known[key]
        elif "同意" in name and field_of_header(name) is None:
            found[name] = "consented"
    return found | _spoken(header, found)


def _spoken(header: Sequence[str], found: Mapping[str, str | None]) -> dict[str, str | None]:
    """Take the name of the account for how a name is spoken, where the organiser has also asked for the name."""
    if not any(name not in found and field_of_header(name) == "full_name" for name in header):
        return {}
    return {name: "full_name_kana" for name, field in found.items() if field == "full_name"}


def registration(text: str) -> Presence:
    """Read a state of a registration; whatever is not cancelled was at least wished for."""
    return "cancelled" if _CANCELLED.search(_plain(text)) else "registered"


def presence(text: str) -> Presence | None:
    """Read whether somebody came: a word, a mark, or the moment of the check-in; None for what is not known.

    A mark that somebody did not come says little before the list is complete, so only words count as absence.
    """
    plain = _plain(text) or text.strip()
    if _CANCELLED.search(plain):
        return "cancelled"
    if _ABSENT.search(plain):
        return "no_show"
    if plain in _ABSENT_MARKS:
        return "registered"
    return "attended" if _PRESENT.search(plain) or _is_day(text) else None


def agrees(text: str) -> bool:
    """Read the answer to whether one's data may be used."""
    plain = _plain(text)
    return bool(_AGREED.search(plain)) and not _DISAGREED.search(plain)


def happenings(event: Event, today: date, registered_on: date | None, states: set[Presence]) -> Iterator[Happening]:
    """Yield the registration, and how it ended: given up, came, or did not come."""
    begun = min(event.day, today) if event.day else today
    yield _at(event, "event_registered", registered_on or begun)
    if "cancelled" in states:
        yield _at(event, "event_cancelled", max(registered_on or begun, begun))
    elif "attended" in states:
        yield _at(event, "event_attended", begun)
    elif "no_show" in states:
        yield _at(event, "event_no_show", begun)


def _at(event: Event, kind: str, day: date) -> Happening:
    is_then = kind in {"event_attended", "event_no_show"} and day == event.day
    return Happening(
        kind, day, {"event": event.as_data()}, event.starts_at if is_then else None, f"event:{event.id}", event.topics
    )


def _plain(text: str) -> str:
    return _BLANKS.sub("", clean(text).lower())


def _is_day(text: str) -> bool:
    try:
        parse_date(text)
    except ValueError:
        return False
    return True
