"""A hundred queries as Japanese recruiters type them, and whom each finds among one tenant's people."""

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI

from app.kit import caller
from app.kit.db import Database
from app.kit.ids import new_id
from app.tenancy import bootstrap

PEOPLE: Final[dict[str, dict[str, Any]]] = {
    "SH": {"full_name": "佐藤 花子", "full_name_kana": "サトウ ハナコ"},
    "SK": {
        "full_name": "佐藤 健太郎",
        "full_name_kana": "さとう けんたろう",
        "current_company": "株式会社トヨタ自動車",
    },
    "KS": {"full_name": "Ken Sato", "language": "en"},
    "SA": {"full_name": "左藤 昭", "full_name_kana": "サトウ アキラ"},
    "SAI": {"full_name": "齋藤 一郎", "full_name_kana": "サイトウ イチロウ"},
    "SAJ": {"full_name": "斎藤 次郎", "full_name_kana": "サイトウ ジロウ"},
    "SAS": {"full_name": "斉藤 三郎", "full_name_kana": "サイトウ サブロウ"},
    "TI": {"full_name": "髙橋 一郎", "full_name_kana": "タカハシ イチロウ"},
    "TY": {"full_name": "高橋 由美", "full_name_kana": "タカハシ ユミ", "skills": [{"name": "Python"}]},
    "TH": {"full_name": "Hiroshi Takahashi", "skills": [{"name": "C++"}, {"name": "Node.js"}]},
    "WJ": {"full_name": "渡邉 次郎", "full_name_kana": "ワタナベ ジロウ"},
    "WM": {"full_name": "渡辺 美咲", "full_name_kana": "ワタナベ ミサキ"},
    "WK": {"full_name": "渡邊 香", "full_name_kana": "ワタナベ カオリ"},
    "WB": {"full_name": "渡部 守", "full_name_kana": "ワタベ マモル"},
    "YK": {"full_name": "山﨑 賢人", "full_name_kana": "ヤマザキ ケント"},
    "YS": {"full_name": "山崎 静香", "full_name_kana": "ヤマサキ シズカ"},
    "OK": {"full_name": "大野 圭", "full_name_kana": "オオノ ケイ"},
    "ON": {"full_name": "小野 奈々", "full_name_kana": "オノ ナナ"},
    "IJ": {"full_name": "伊藤 純一", "full_name_kana": "イトウ ジュンイチ"},
    "ITO": {"full_name": "Junichi Itoh"},
    "CH": {"full_name": "千葉 真一", "full_name_kana": "チバ シンイチ"},
    "SSN": {"full_name": "佐々木 希", "full_name_kana": "ササキ ノゾミ"},
    "HT": {"full_name": "長谷川 翼", "full_name_kana": "ハセガワ ツバサ"},
    "MI": {"full_name": "三ツ井 恵", "full_name_kana": "ミツイ メグミ"},
    "SR": {"full_name": "鈴木 さくら", "full_name_kana": "スズキ サクラ"},
    "SRK": {"full_name": "鈴木 サクラ", "full_name_kana": "スズキ サクラ"},
    "FJ": {"full_name": "藤井 譲", "full_name_kana": "フジイ ユズル"},
    "IF": {"full_name": "五十嵐 文", "full_name_kana": "イガラシ フミ"},
    "SMB": {"full_name": "新保 久美", "full_name_kana": "シンボ クミ"},
    "KO": {"full_name": "Kelly O'Brien"},
    "JG": {"full_name": "José García"},
    "BM": {"full_name": "Björn Müller"},
    "JL": {"full_name": "Jean-Luc Ménard"},
    "KC": {"full_name": "김 철수"},
    "CW": {"full_name": "陳 偉", "full_name_kana": "チン イ", "current_company": "㈱みらい物流"},
    "WC": {"full_name": "Wei Chen"},
    "TN": {"full_name": "田中角栄", "tags": ["sato"]},
    "KT": {"full_name": "カトウ タロウ"},
    "ONM": {"full_name": "星 光", "full_name_kana": "ホシ ヒカル", "other_names": ["月野 光"]},
    "HS": {"full_name": "Hanako Suzuki", "full_name_kana": "スズキ ハナコ", "skills": [{"name": "データ分析"}]},
    "FK": {
        "family_name": "福﨑",
        "given_name": "光",
        "family_name_kana": "フクサキ",
        "current_company": "Pinecone Robotics",
    },
}
QUERIES: Final[list[tuple[str, str]]] = [
    # the same surname in every script and romanisation
    ("佐藤", "SH SK"), ("サトウ", "SH SK KS SA"), ("さとう", "SH SK KS SA"), ("ｻﾄｳ", "SH SK KS SA"),
    ("Sato", "SH SK KS SA"), ("satoh", "SH SK KS SA"), ("SATOU", "SH SK KS SA"), ("Satō", "SH SK KS SA"),
    ("ｓａｔｏ", "SH SK KS SA"), ("左藤", "SA"), ("佐藤さん", "SH SK"), ("高橋様", "TI TY"), ("木様", ""),
    # parts and the whole
    ("花子", "SH"), ("はなこ", "SH HS"), ("佐藤花子", "SH"), ("佐藤 花子", "SH"), ("佐藤　花子", "SH"),
    ("花子 佐藤", "SH"), ("sato hanako", "SH"), ("Hanako Sato", "SH"), ("hanako", "SH HS"), ("satohanako", "SH"),
    ("さとうはなこ", "SH"), ("サトウ・ハナコ", "SH"), ("佐藤 はなこ", "SH"), ("佐", "SH SK SSN"),
    ("藤", "SH SK SA SAI SAJ SAS IJ FJ"),
    ("サト", "SH SK KS SA"), ("sat", "SH SK KS SA"), ("sa", "SH SK KS SA SAI SAJ SAS SSN SR SRK"), ("健太", "SK"),
    ("けんた", "SK"), ("kentaro", "SK"), ("けんたろう", "SK"), ("ken", "SK KS YK"), ("郎", "SK SAI SAJ SAS TI WJ"),
    # variants of a letter
    ("髙橋", "TI TY"), ("高橋", "TI TY"), ("ﾀｶﾊｼ", "TI TY TH"), ("たかはし", "TI TY TH"), ("takahashi", "TI TY TH"),
    ("takahasi", "TI TY TH"), ("高橋一郎", "TI"), ("髙橋由美", "TY"), ("渡邉", "WJ WM WK"), ("渡辺", "WJ WM WK"),
    ("渡邊", "WJ WM WK"), ("ワタナベ", "WJ WM WK"), ("watanabe", "WJ WM WK"), ("watabe", "WB"), ("渡部", "WB"),
    ("渡", "WJ WM WK WB"), ("斎藤", "SAI SAJ"), ("齋藤", "SAI SAJ"), ("斉藤", "SAS"), ("saito", "SAI SAJ SAS"),
    ("saitou", "SAI SAJ SAS"), ("山崎", "YK YS"), ("山﨑", "YK YS"), ("yamazaki", "YK"), ("yamasaki", "YS"),
    ("福崎", "FK"), ("佐々木", "SSN"), ("佐佐木", "SSN"), ("sasaki nozomi", "SSN"), ("三ツ井", "MI"), ("mitsui", "MI"),
    ("mitui", "MI"),
    # long vowels, n before b, ch, ts, j
    ("おおの", "OK ON"), ("oono", "OK ON"), ("ohno", "OK ON"), ("おの", "OK ON"), ("大野", "OK"), ("itou", "IJ ITO"),
    ("itoh", "IJ ITO"), ("伊藤", "IJ"), ("junichi", "IJ ITO"), ("jun'ichi", "IJ ITO"), ("zyunichi", "IJ ITO"),
    ("tiba", "CH"), ("chiba", "CH"), ("ち", "CH CW"), ("shimbo", "SMB"), ("sinbo", "SMB"), ("fumi", "IF"),
    ("hujii", "FJ"), ("tsubasa", "HT"), ("長谷川翼", "HT"), ("hasegawa t", "HT"),
    # names in kana, Latin letters, Hangul and Chinese
    ("さくら", "SR SRK"), ("サクラ", "SR SRK"), ("sakura suzuki", "SR SRK"), ("かとう", "KT"), ("加藤", ""),
    ("o'brien", "KO"), ("obrien", "KO"), ("jose", "JG"), ("garcia", "JG"), ("muller", "BM"), ("bjorn", "BM"),
    ("Jean-Luc", "JL"), ("jean luc", "JL"), ("luc", "JL"), ("menard luc", "JL"), ("jeanluc", "JL"),
    ("김", "KC"), ("chen", "WC"), ("陳", "CW"), ("月野", "ONM"), ("田中", "TN"),
    # companies and skills
    ("トヨタ", "SK"), ("toyota", "SK"), ("佐藤 トヨタ", "SK"), ("みらい物流", "CW"), ("pinecone", "FK"),
    ("python", "TY"),     ("c++", "TH"), ("node.js", "TH"), ("データ分析", "HS"), ("高橋 python", "TY"), ("zzz", ""),
]  # fmt: skip
Crowd = tuple[httpx.AsyncClient, dict[str, str]]
"""A client, and who is who by id."""


@pytest.fixture(scope="session")
async def crowd(app: FastAPI, database: Database) -> AsyncIterator[Crowd]:
    """The tenant to which all these people have come by the API."""
    _, key = await bootstrap.issue(database, f"Names {new_id()}", [caller.ADMIN], "test")
    transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
        items = [{**person, "client_ref": ref, "on_match": "create"} for ref, person in PEOPLE.items()]
        made = (await client.post("/v1/candidates/batch-upsert", json={"items": items})).json()
        assert {each["outcome"] for each in made["items"]} <= {"created", "review"}, made["counts"]
        yield client, {each["id"]: each["client_ref"] for each in made["items"]}


@pytest.mark.parametrize(("q", "expected"), QUERIES, ids=[q for q, _ in QUERIES])
async def test_a_query_finds_whom_a_recruiter_expects(crowd: Crowd, q: str, expected: str) -> None:
    client, refs = crowd
    answer = await client.get("/v1/candidates", params={"q": q, "fields": "full_name", "limit": 200})
    assert answer.status_code == 200, answer.text
    assert {refs[each["id"]] for each in answer.json()["data"]} == set(expected.split())


def test_there_are_a_hundred_of_them() -> None:
    assert len({q for q, _ in QUERIES}) == len(QUERIES) >= 100
