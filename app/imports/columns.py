"""Which column of a file holds which field: by the headers of Japanese and English files, or by a given mapping."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.normalise.text import clean

_HEADERS: Final = """
full_name: 氏名 名前 お名前 姓名 候補者名 応募者名 応募者氏名 候補者氏名 漢字氏名 氏名漢字 name fullname
   candidate candidatename
full_name_kana: フリガナ ふりがな カナ かな カナ氏名 氏名カナ 氏名フリガナ 氏名かな よみがな 読み仮名 ヨミガナ
   よみ 読み namekana kana furigana fullnamekana
family_name: 姓 苗字 名字 氏 姓漢字 lastname familyname surname
given_name: 名 名漢字 下の名前 firstname givenname
family_name_kana: セイ せい 姓カナ 姓かな 姓フリガナ 姓ふりがな familynamekana lastnamekana
given_name_kana: メイ めい 名カナ 名かな 名フリガナ 名ふりがな givennamekana firstnamekana
family_name_romaji: 姓ローマ字 姓英字 familynameromaji lastnameromaji
given_name_romaji: 名ローマ字 名英字 givennameromaji firstnameromaji
other_names: 旧姓 別名 通称 ニックネーム maidenname othernames nickname
email_addresses: メールアドレス メール eメール eメールアドレス 電子メール mail email emailaddress emailaddresses
   mailaddress メールアドレス1 メールアドレス2 pcメール 携帯メール 個人メール 会社メール 連絡先メールアドレス
phone_numbers: 電話番号 電話 携帯 携帯電話 携帯電話番号 携帯番号 自宅電話 自宅電話番号 固定電話 連絡先電話番号
   連絡先 tel phone phonenumber phonenumbers mobile mobilephone cell 電話番号1 電話番号2
external_ids: id 応募者id 候補者id 応募id 管理番号 応募番号 候補者番号 応募者番号 candidateid applicantid
   externalid externalids
links.linkedin: linkedin linkedinurl リンクトイン
links.github: github githuburl githubアカウント
links: url プロフィールurl ポートフォリオ ホームページ website links profile profileurl portfolio wantedly qiita
   facebook x twitter
current_company: 会社名 会社 現職 現職企業 現職会社名 勤務先 勤務先名 所属 所属企業 所属会社 在籍企業 直近企業
   company currentcompany employer organization
headline: 役職 職種 肩書 肩書き 役職名 現職種 ポジション title jobtitle position headline
department: 部署 部署名 所属部署 department division
birth_date: 生年月日 誕生日 birthdate dateofbirth dob birthday
years_of_experience: 経験年数 実務経験年数 社会人経験年数 職務経験年数 yearsofexperience experience
   experienceyears years
skills: スキル 技術 スキルセット 保有スキル 言語 経験技術 使用技術 skill skills techstack
interests: 興味 関心 興味関心 興味分野 interest interests
tags: タグ ラベル tag tags label labels
language: 使用言語コード language preferredlanguage
location.region: 都道府県 prefecture region state
location.city: 市区町村 市 city
location.address: 住所 現住所 居住地 address location
location.country_code: 国コード country countrycode
source.name: 応募経路 流入経路 流入元 媒体 経路 イベント名 紹介者 応募媒体 sourcename channel referrer eventname
source.detail: 備考 メモ コメント 特記事項 note notes memo remarks comment comments
applied_on: 応募日 応募年月日 応募日時 エントリー日 接点日 参加日 applied applieddate appliedon appliedat
   applicationdate
result: 選考結果 結果 合否 選考ステータス ステータス result outcome selectionresult status
decided_on: 選考結果日 結果通知日 決定日 不採用日 辞退日 decidedon decisiondate resultdate
consented_on: 同意日 個人情報同意日 同意日時 同意取得日 consent consentdate consentedon consentedat
   consentobtainedat
registered_on:
registration:
attendance:
consented:
consent_expires_on: 同意期限 同意有効期限 consentexpires consentexpireson
"""
"""Field path: headers, in any spelling that `header_key` makes the same."""

ALIASES: Final[Mapping[str, str]] = {
    "email": "email_addresses",
    "emails": "email_addresses",
    "phone": "phone_numbers",
    "phones": "phone_numbers",
    "external_id": "external_ids",
    "link": "links",
    "skill": "skills",
    "tag": "tags",
    "interest": "interests",
    "location": "location.address",
    "sources": "source.name",
    "sources.name": "source.name",
    "sources.detail": "source.detail",
    "sources.occurred_on": "applied_on",
    "consent": "consented_on",
    "consent.obtained_at": "consented_on",
    "consents.obtained_at": "consented_on",
    "consent.expires_at": "consent_expires_on",
    "consents.expires_at": "consent_expires_on",
}
"""Other ways to write a field path in a mapping."""

# Employment Security Act art. 5-5 and its guidelines (MHLW notice 141 of 1999): origin, creed, union membership and the
# like must not be collected of applicants; APPI art. 2(3) adds illness and criminal record.
_FORBIDDEN: Final = re.compile(
    "本籍|出身地|出生地|宗教|信条|信仰|思想|支持政党|家族|労働組合|病歴|既往歴|障害|犯罪歴|前科|門地|人種"
)
_NOISE: Final = re.compile(r"必須|任意|[\s*_\-・:()\[\]「」【】※]+")
_LIST_PART: Final = re.compile(r"\[\d*\]|[./](?:\d+|value|raw|id|url)(?=$|[./])")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file; `field` is None when nothing takes it."""

    name: str
    field: str | None


@dataclass(frozen=True, slots=True)
class ColumnWarning:
    """Something about a column that a person should see."""

    column: str
    code: str


def header_key(header: str) -> str:
    """Give one spelling to a header: width, case, blanks, brackets and the marks of a required field aside."""
    return _NOISE.sub("", clean(header).lower())


HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    field: tuple(names.split()) for field, names in re.findall(r"^([a-z_.]+):(.*(?:\n +.*)*)", _HEADERS, re.MULTILINE)
}
_BY_HEADER: Final = {header_key(name): field for field, names in HEADERS.items() for name in (*names, field)}


def field_of_header(header: str) -> str | None:
    """Return the field that a header means in any file, None for an unknown one."""
    return _BY_HEADER.get(header_key(header))


def field_of(path: str) -> str | None:
    """Return the field that a mapping's path means (`email_addresses[0].value`, `email`), None for an unknown one."""
    plain = _LIST_PART.sub("", clean(path)).strip("./")
    plain = ALIASES.get(plain.removesuffix(".name") if not plain.startswith("source") else plain, plain)
    if plain.startswith("custom_fields.") or plain in HEADERS:
        return plain
    return plain.removesuffix(".name") if plain.removesuffix(".name") in HEADERS else None


def recognise(headers: Sequence[str], mapping: Mapping[str, str | None]) -> tuple[list[Column], list[ColumnWarning]]:
    """Say what each column holds. The mapping wins over the header; null in it leaves a column out.

    A second column of a field with one value is left out (`duplicate_column`); fields that are lists take any number.
    """
    given = {header_key(name): path for name, path in mapping.items()}
    columns: list[Column] = []
    warnings: list[ColumnWarning] = []
    for name in headers:
        column, code = _column(name, given, {each.field for each in columns})
        columns.append(column)
        if code:
            warnings.append(ColumnWarning(name, code))
    known = {header_key(name) for name in headers}
    warnings += [ColumnWarning(name, "mapped_column_missing") for name in mapping if header_key(name) not in known]
    return columns, warnings


def looks_like_header(cells: Sequence[str], mapping: Mapping[str, str | None]) -> bool:
    """Say whether at least two of these cells are known as headers: title lines above a table have at most one."""
    keys = {header_key(cell) for cell in cells if cell}
    return len(keys & (_BY_HEADER.keys() | {header_key(name) for name in mapping})) > 1


REPEATABLE: Final = frozenset(
    {"other_names", "email_addresses", "phone_numbers", "links", "skills", "interests", "tags", "external_ids"}
)


def _column(name: str, given: Mapping[str, str | None], taken: set[str | None]) -> tuple[Column, str | None]:
    key = header_key(name)
    if key in given:
        path = given[key]
        field = field_of(path) if path else None
        if path is None:
            return Column(name, None), None
    else:
        field = _BY_HEADER.get(key)
    if _FORBIDDEN.search(clean(name)):
        return Column(name, None), "forbidden_column"
    if field is None:
        return Column(name, None), "unmapped_column"
    if field in taken and field not in REPEATABLE and not field.startswith("links."):
        return Column(name, None), "duplicate_column"
    return Column(name, field), None
