"""Lists of people at an event over HTTP: who comes in, what is noted of them, and what is left aside with a reason."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.kit import jobs, json
from app.kit.db import Database
from app.kit.ids import new_id

EVENT = {
    "id": "77",
    "title": "検索の夜",
    "starts_at": "2026-06-20T10:00:00Z",
    "url": "https://mirai.peatix.com/event/77",
    "topics": ["search"],
}
PEATIX = """販売ID,参加者名,チケット名,ステータス,注文日時,出席,氏名,メールアドレス,今後のご案内に同意しますか
101,ミヤザキ ハナコ,一般,販売済み,2026/06/01 12:34,○,宮﨑 花子,hanako@example.jp,同意する
102,スズキ タロウ,一般,販売済み,2026/06/02 09:00,,鈴木 太郎,taro@example.jp,同意しない
103,タカハシ ジロウ,一般,払い戻し済み,2026/06/03 10:00,,髙橋 次郎,jiro@example.jp,同意する
104,サトウ,一般,販売済み,おととい,○,佐藤 四郎,shiro@example.jp,同意する
"""
DOORKEEPER = """氏名,メールアドレス,会社名,申込日時,ステータス,チェックイン日時
佐藤 花子,hanako@example.jp,みらい株式会社,2026-06-01 12:34:56,参加,2026-06-20 19:02:11
鈴木 太郎,taro@example.jp,,2026-06-02 12:34:56,参加,
,nobody,,2026-06-02 12:34:56,キャンセル,
"""
CONNPASS = """参加枠名,ユーザー名,表示名,利用開始日,コメント,参加ステータス,出欠ステータス,更新日時,受付番号
一般,hanako_s,はなこ,2020年01月01日,,参加,出席,2026年06月01日 18時51分,1
一般,taro_s,たろう,2020年01月01日,,参加,欠席,2026年06月01日 18時52分,2
"""
Upload = Callable[..., Awaitable[Any]]


async def connect(api: httpx.AsyncClient, provider: str) -> str:
    body = {"provider": provider, "name": "Events", "settings": {"topics": ["python"]}}
    made = await api.post("/v1/connections", json=body | ({"secret": "api-key"} if provider == "connpass" else {}))
    assert made.status_code == 201, made.text
    await api.patch(f"/v1/connections/{made.json()['id']}", json={"enabled": False})  # so that connpass is not asked
    return str(made.json()["id"])


@pytest.fixture
def upload(api: httpx.AsyncClient, database: Database) -> Upload:
    """Connects a provider unless it is connected, uploads a list, does the work and answers the import."""

    async def run(provider: str, content: bytes, connection: str | None = None, **form: str) -> Any:
        connected = connection or await connect(api, provider)
        form = {"connection_id": connected, "event": json.dumps(EVENT), "commit": "auto"} | form
        accepted = await api.post("/v1/imports", files={"file": ("list.csv", content)}, data=form)
        assert accepted.status_code == 202, accepted.text
        while await jobs.run_jobs(database):
            continue
        return (await api.get(f"/v1/imports/{accepted.json()['import_id']}")).json()

    return run


async def people(api: httpx.AsyncClient) -> dict[str, Any]:
    found = (await api.get("/v1/candidates")).json()["data"]
    return {each["full_name"] or each["other_names"][0]: each for each in found}


async def history(api: httpx.AsyncClient, person: Any) -> list[tuple[str, str]]:
    found = (await api.get(f"/v1/candidates/{person['id']}/touchpoints")).json()["data"]
    return sorted((each["type"], each["occurred_at"]) for each in found)


async def test_of_a_list_of_peatix_only_those_come_in_who_have_agreed(api: httpx.AsyncClient, upload: Upload) -> None:
    found = await upload("peatix", PEATIX.encode("cp932"))
    assert (found["state"], found["encoding"], found["basis"], found["source_type"]) == (
        "committed", "cp932", "consent", "event",
    )  # fmt: skip
    assert {verdict: rows for verdict, rows in found["counts"].items() if rows} == {
        "create": 2,
        "no_consent_basis": 1,
        "invalid": 1,
    }
    assert found["warnings"] == []
    rows = (await api.get(f"/v1/imports/{found['id']}/rows")).json()["data"]
    assert [(row["row"], row["errors"][0]["column"], row["errors"][0]["code"]) for row in rows if row["errors"]] == [
        (2, PEATIX.partition("\n")[0].rpartition(",")[2], "no_consent_basis"),
        (4, "注文日時", "invalid_date"),
    ]
    known = await people(api)
    assert set(known) == {"宮﨑 花子", "髙橋 次郎"}
    hanako = known["宮﨑 花子"]
    assert hanako["full_name_kana"] == "ミヤザキ ハナコ"
    assert hanako["sources"] == [{"type": "event", "name": "検索の夜", "occurred_on": "2026-06-20", "detail": None}]
    assert await history(api, hanako) == [
        ("event_attended", "2026-06-20T10:00:00Z"),
        ("event_registered", "2026-05-31T15:00:00Z"),
    ]
    assert [kind for kind, _ in await history(api, known["髙橋 次郎"])] == ["event_cancelled", "event_registered"]
    [attended] = (await api.get("/v1/touchpoints?type=event_attended")).json()["data"]
    assert attended["source"] == f"peatix:{found['connection_id']}"
    assert (attended["topics"], attended["data"]["event"]["id"]) == (["python", "search"], "77")
    consents = (await api.get(f"/v1/candidates/{hanako['id']}/consents")).json()["data"]
    assert {(each["basis"], each["obtained_at"]) for each in consents} == {("consent", "2026-05-31T15:00:00Z")}


async def test_the_list_after_the_event_adds_only_what_is_new(api: httpx.AsyncClient, upload: Upload) -> None:
    before = await upload("peatix", PEATIX.replace("○", "").encode("utf-8-sig"))
    again = await upload("peatix", PEATIX.encode("utf-16"), before["connection_id"])
    assert again["connection_id"] == before["connection_id"]
    assert {verdict: rows for verdict, rows in again["counts"].items() if rows} == {
        "unchanged": 2,
        "no_consent_basis": 1,
        "invalid": 1,
    }
    hanako = (await people(api))["宮﨑 花子"]
    assert [kind for kind, _ in await history(api, hanako)] == ["event_attended", "event_registered"]


async def test_a_list_of_doorkeeper_becomes_people_and_attendances(api: httpx.AsyncClient, upload: Upload) -> None:
    found = await upload("doorkeeper", DOORKEEPER.encode("utf-8-sig"))
    assert {verdict: rows for verdict, rows in found["counts"].items() if rows} == {"create": 2, "invalid": 1}
    known = await people(api)
    assert known["佐藤 花子"]["current_company"] == "みらい株式会社"
    assert [kind for kind, _ in await history(api, known["佐藤 花子"])] == ["event_attended", "event_registered"]
    assert [kind for kind, _ in await history(api, known["鈴木 太郎"])] == ["event_registered"]
    errors = (await api.get(f"/v1/imports/{found['id']}/errors.csv")).content.decode("utf-8-sig")
    assert "nobody" in errors


async def test_a_list_of_connpass_names_people_as_its_api_does(api: httpx.AsyncClient, upload: Upload) -> None:
    found = await upload("connpass", CONNPASS.encode("cp932"))
    assert found["counts"]["create"] == 2
    known = await people(api)
    assert known["はなこ"]["external_ids"] == [{"source": "connpass", "id": "hanako_s"}]
    assert [kind for kind, _ in await history(api, known["たろう"])] == ["event_no_show", "event_registered"]


async def test_a_list_can_be_taken_back(api: httpx.AsyncClient, upload: Upload, database: Database) -> None:
    found = await upload("doorkeeper", DOORKEEPER.encode())
    assert (await api.post(f"/v1/imports/{found['id']}/undo")).status_code == 202
    await jobs.run_jobs(database)
    undone = (await api.get(f"/v1/imports/{found['id']}")).json()
    assert (undone["state"], undone["conflicts"]) == ("undone", [])
    assert await people(api) == {}


@pytest.mark.parametrize(
    ("form", "status", "pointer"),
    [
        ({"event": json.dumps(EVENT)}, 422, "/connection_id"),
        ({"connection_id": str(new_id()), "event": json.dumps(EVENT)}, 404, "/connection_id"),
        ({"connection_id": "PEATIX"}, 422, "/event"),
        ({"connection_id": "PEATIX", "event": "{"}, 422, "/event"),
        ({"connection_id": "PEATIX", "event": "{}"}, 422, "/event/id"),
        ({"connection_id": "PEATIX", "event": '{"id": "1", "starts_at": "today"}'}, 422, "/event/starts_at"),
        ({"connection_id": "CALENDLY", "event": json.dumps(EVENT)}, 422, "/connection_id"),
    ],
)
async def test_a_list_is_of_a_connection_and_of_an_event(
    api: httpx.AsyncClient, form: dict[str, str], status: int, pointer: str
) -> None:
    bodies = {
        "PEATIX": {"provider": "peatix", "name": "Events"},
        "CALENDLY": {"provider": "calendly", "name": "Events", "secret": "signing-key"},
    }
    wanted = form.get("connection_id", "")
    if wanted in bodies:
        form = form | {"connection_id": (await api.post("/v1/connections", json=bodies[wanted])).json()["id"]}
    answer = await api.post("/v1/imports", files={"file": ("list.csv", PEATIX.encode())}, data=form)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)
    assert (await api.get("/v1/imports")).json()["data"] == []


async def test_nobody_calls_for_peatix(api: httpx.AsyncClient, client_of: Callable[[str], httpx.AsyncClient]) -> None:
    listed = {each["key"]: each["kind"] for each in (await api.get("/v1/providers")).json()["data"]}
    assert (listed["peatix"], listed["doorkeeper"]) == ("file", "file")
    made = (await api.post("/v1/connections", json={"provider": "peatix", "name": "Events"})).json()
    assert (await client_of("").post(f"/v1/hooks/{made['id']}", content=PEATIX.encode())).status_code == 401
