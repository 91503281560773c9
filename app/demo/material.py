"""What the demo tenant has besides people: its sender, contents, a template, a sequence, pools."""

from typing import Any, Final

TENANT: Final[dict[str, Any]] = {
    "sender": {
        "name": "株式会社あおぞら 採用チーム",
        "from_email": "talent@example.co.jp",
        "reply_to": "talent@example.co.jp",
        "postal_address": "〒100-0001 東京都千代田区千代田1-1",
        "complaint_contact": "privacy@example.co.jp / 03-5555-0100",
        "opt_out_notice": "配信の停止をご希望の方は、下のリンクからいつでもお手続きいただけます。",
        "unsubscribe_mailto": "unsubscribe@example.co.jp",
    },
    "send_window": {
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "from": "09:00",
        "to": "18:00",
        "holidays": "skip",
    },
    "frequency_caps": {"email": {"max": 2, "days": 7}},
    "fatigue_guard": {"after": 6, "action": "slow"},
    "rates": {"per_minute": 600, "per_domain_per_minute": 120},
    "tracking": {"opens": False, "links": False},
}

CONTENTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "key": "cloud-story",
        "kind": "article",
        "title": "クラウド移行の舞台裏",
        "url": "https://example.co.jp/stories/cloud",
        "summary": "三年かけて基幹システムを移した話。",
        "topics": ["クラウド", "AWS"],
        "language": "ja",
    },
    {
        "key": "python-team",
        "kind": "interview",
        "title": "Python チームの一日",
        "url": "https://example.co.jp/stories/python",
        "summary": "入社二年目のエンジニアに聞きました。",
        "topics": ["Python", "キャリア"],
        "language": "ja",
    },
)

TEMPLATE: Final[dict[str, Any]] = {
    "key": "thank-you",
    "name": "お礼のメール",
    "audience": "candidate",
    "language": "ja",
    "subject": "{{ candidate.full_name }} 様、先日はありがとうございました",
    "preheader": "またお話しできることを楽しみにしています。",
    "format": "mjml",
    "body": """<mjml><mj-body><mj-section><mj-column>
<mj-text font-size="16px" line-height="1.7">{{ candidate.full_name }} 様</mj-text>
<mj-text line-height="1.7">先日はお時間をいただき、ありがとうございました。</mj-text>
<mj-text line-height="1.7">近況やイベントのご案内を、ときどきお送りします。</mj-text>
<mj-text font-size="12px" color="#555555">{{ legal_footer }}</mj-text>
</mj-column></mj-section></mj-body></mjml>""",
    "on_unknown": "hold",
}

SEQUENCE: Final[dict[str, Any]] = {
    "key": "thank-you",
    "name": "お礼",
    "purpose": "talent_pool",
    "steps": [{"key": "thanks", "type": "send"}],
}

POOLS: Final[tuple[dict[str, Any], ...]] = (
    {
        "key": "python-engineers",
        "name": "Python エンジニア",
        "criteria": {
            "all": [
                {"field": "skills.name", "op": "has_any", "value": ["Python", "機械学習", "データ分析"]},
                {"field": "years_of_experience", "op": "gte", "value": 3},
            ]
        },
        "required_fields": ["email_addresses", "current_company"],
        "threshold": 5,
        "purpose": "talent_pool",
    },
    {
        "key": "silver-medalists",
        "name": "内定辞退・アルムナイ",
        "criteria": {"field": "sources.type", "op": "has_any", "value": ["offer_declined", "alumni"]},
        "threshold": None,
        "purpose": "talent_pool",
    },
)
