"""What fields and touchpoints are called in Japanese and in English."""

from collections.abc import Mapping
from typing import Final

Words = Mapping[str, tuple[str, str]]

LABELS: Final[Words] = {
    "full_name": ("氏名", "Name"),
    "full_name_kana": ("フリガナ", "Name in kana"),
    "headline": ("肩書", "Headline"),
    "current_company": ("現職", "Company"),
    "department": ("部署", "Department"),
    "years_of_experience": ("経験年数", "Years of experience"),
    "location": ("所在地", "Location"),
    "language": ("言語", "Language"),
    "birth_date": ("生年月日", "Born"),
    "skills": ("スキル", "Skills"),
    "interests": ("関心", "Interests"),
    "tags": ("タグ", "Tags"),
    "sources": ("出会い", "Met through"),
}
DEEDS: Final[Words] = {
    "email_sent": ("メールを送信", "A mail was sent"),
    "email_delivered": ("メールが到達", "A mail arrived"),
    "email_opened": ("メールを開封", "Opened a mail"),
    "email_clicked": ("メールのリンクをクリック", "Clicked a link in a mail"),
    "email_replied": ("メールに返信", "Replied to a mail"),
    "email_bounced": ("メールが不達", "A mail came back"),
    "email_complained": ("迷惑メールとして報告", "Reported a mail as spam"),
    "email_unsubscribed": ("配信を停止", "Unsubscribed"),
    "event_invited": ("イベントに招待", "Was invited to an event"),
    "event_registered": ("イベントに申込", "Registered for an event"),
    "event_attended": ("イベントに参加", "Attended an event"),
    "event_no_show": ("イベントを欠席", "Did not come to an event"),
    "event_cancelled": ("イベントをキャンセル", "Cancelled an event"),
    "page_viewed": ("ページを閲覧", "Viewed a page"),
    "content_downloaded": ("資料をダウンロード", "Downloaded content"),
    "sns_interaction": ("SNSで反応", "Reacted on a social network"),
    "form_submitted": ("フォームを送信", "Sent in a form"),
    "call": ("電話", "Call"),
    "meeting": ("面談", "Meeting"),
    "casual_interview": ("カジュアル面談", "Casual interview"),
    "note": ("メモ", "Note"),
    "applied": ("応募", "Applied"),
    "screened": ("書類選考", "Was screened"),
    "interviewed": ("面接", "Was interviewed"),
    "offered": ("内定", "Was made an offer"),
    "offer_declined": ("内定を辞退", "Declined an offer"),
    "rejected": ("不採用", "Was not selected"),
    "hired": ("採用", "Was hired"),
    "left_company": ("退職", "Left the company"),
    "profile_updated": ("プロフィールを更新", "The profile was updated"),
}
