"""A person's own page: a link shows little, a mailed code shows all, and only buttons act."""

from datetime import timedelta
from typing import Any

import pytest

from app.kit import json
from app.kit.db import Database
from tests.conftest import TenantFixture
from tests.pages.conftest import Person


async def decision(person: Person, purpose: str) -> tuple[str, set[str]]:
    asked = {"candidate_id": person.id, "channel": "email", "purpose": purpose}
    answer = await person.world.post("/v1/contact-decisions", asked, 200)
    return answer["decision"], {each["code"] for each in answer["reasons"]}


async def test_a_link_is_told_once_and_names_nobody(person: Person) -> None:
    path = f"/v1/candidates/{person.id}/page-links"
    keyed = {"Idempotency-Key": "link-1"}
    made = await person.world.api.post(path, json={"kind": "privacy"}, headers=keyed)
    url = made.json()["url"]
    assert url.startswith("https://talent.example.com/p/")
    assert person.id not in url
    assert len(url.rpartition("/")[2]) == 43
    again = await person.world.api.post(path, json={"kind": "privacy"}, headers=keyed)
    assert (again.status_code, again.json()["url"]) == (201, None)
    assert (await person.world.api.post(path, json={"kind": "else"})).status_code == 422
    assert (await person.world.api.post("/v1/candidates/x/page-links", json={"kind": "privacy"})).status_code == 404


async def test_preferences_are_shown_and_chosen(person: Person) -> None:
    await person.link("preferences")
    page = await person.look()
    assert "株式会社例" in page
    assert person.checked() == {"talent_pool"}
    assert "<script" not in page
    await person.press("choose", keep=["events", "newsletter"])
    assert "イベントのご案内" in person.page
    await person.look()
    assert person.checked() == {"events", "newsletter"}
    assert await decision(person, "talent_pool") == ("deny", {"consent_withdrawn"})
    assert (await decision(person, "events"))[0] == "allow"
    [grant, *_] = [
        each
        for each in (await person.world.get(f"/v1/candidates/{person.id}/consents"))["data"]
        if each["purpose"] == "events"
    ]
    assert (grant["basis"], grant["evidence"]["kind"], grant["lift_suppression"]) == ("consent", "form", True)
    assert grant["wording"] == "「イベントのご案内」のメールを株式会社例から受け取ることに同意します。"


async def test_stopping_is_for_everything_until_they_choose_again(person: Person) -> None:
    await person.world.post(
        f"/v1/candidates/{person.id}/consents",
        {"purpose": "newsletter", "channel": "email", "status": "granted", "basis": "consent",
         "obtained_at": "2026-01-02T00:00:00Z"},
        201,
    )  # fmt: skip
    await person.link("preferences")
    await person.look()
    for _ in range(2):
        await person.press("stop")
        assert "配信を停止しました" in person.page
    for purpose in ("talent_pool", "newsletter"):
        assert "unsubscribed" in (await decision(person, purpose))[1]
    timeline = (await person.world.get(f"/v1/touchpoints?candidate_id={person.id}"))["data"]
    assert [each["type"] for each in timeline] == ["email_unsubscribed"]
    await person.look()
    assert person.checked() == set()
    await person.press("choose", keep=["events"])
    assert (await decision(person, "events"))[0] == "allow"
    assert (await decision(person, "newsletter"))[0] == "deny"


@pytest.mark.parametrize("kind", ["profile", "privacy"])
async def test_nothing_is_shown_without_the_code(person: Person, kind: str) -> None:
    await person.link(kind)
    page = await person.look()
    assert "p…@e…" in page
    for secret in ("山田", "株式会社山", "example.com"):
        assert secret not in page
    for action, fields in (
        ("download", {}),
        ("erase", {"sure": "yes"}),
        ("correct", {"headline": "x"}),
        ("record", {}),
    ):
        for earned in ("", "1.2", "9999999999.00", "x" * 500, "٣.a"):
            form = {"action": action, "pass": earned, **fields}
            answer = await person.outside.post(person.path, data=form)
            assert answer.status_code == 200
            assert "山田" not in answer.text
    assert (await person.world.get(f"/v1/candidates/{person.id}"))["headline"] is None


async def test_the_code_is_mailed_and_opens_the_record(person: Person) -> None:
    page = await person.enter("profile")
    for shown in ("山田 太郎", "株式会社山", "Python", "@example.com"):
        assert shown in page
    [mail] = person.world.mailer.recorded
    assert b"List-Unsubscribe" not in mail.data
    assert mail.sender == "talent@example.co.jp"


async def test_a_wrong_code_may_be_tried_five_times(person: Person) -> None:
    await person.link("profile")
    await person.look()
    code = await person.code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        await person.press("open", code=wrong)
        assert "コードが違います" in person.page
    await person.press("open", code=code)
    assert "期限が切れました" in person.page
    other = await person.code()
    assert other != code
    await person.press("open", code=" ".join(other).translate({48 + digit: 0xFF10 + digit for digit in range(10)}))
    assert "山田 太郎" in person.page


async def test_codes_and_links_and_passes_run_out(person: Person, database: Database, tenant: TenantFixture) -> None:
    await person.enter("profile")
    page = person.page

    async def later(column: str, by: timedelta) -> None:
        async with database.transaction(tenant.caller) as session:
            await session.run(f"update page_tokens set {column} = {column} - :by", by=by)  # noqa: S608 (of the test)

    await later("code_expires_at", timedelta(minutes=16))
    await person.press("open", code="000000")
    assert "期限が切れました" in person.page
    person.page = page
    for _ in range(4):
        await person.press("code")
    assert "これ以上コードを送れません" in person.page
    sent = len(await person.mails())
    await person.press("code")
    assert len(await person.mails()) == sent
    await later("expires_at", timedelta(days=8))
    assert "ページが見つかりません" in await person.look(404)
    await person.press("open", 404)


async def test_a_correction_stands_over_everything(person: Person) -> None:
    await person.enter("privacy")
    fields: dict[str, Any] = {
        "full_name": "山田 花子", "full_name_kana": "ヤマダ ハナコ", "current_company": "", "headline": "研究者",
        "city": "京都", "interests": "Rust、 Go，Python",
    }  # fmt: skip
    await person.press("correct", **fields)
    assert "直しました" in person.page
    read = await person.world.get(f"/v1/candidates/{person.id}")
    assert (read["full_name"], read["headline"], read["current_company"]) == ("山田 花子", "研究者", None)
    assert (read["location"]["city"], sorted(read["interests"])) == ("京都", ["Go", "Python", "Rust"])
    await person.press("correct", **fields)
    assert "変更はありません" in person.page
    patched = await person.world.api.patch(f"/v1/candidates/{person.id}", json={"headline": "other"})
    assert patched.json()["headline"] == "研究者"
    records = (await person.world.get(f"/v1/candidates/{person.id}/records"))["data"]
    assert "self" in {each["door"] for each in records}
    types = [each["type"] for each in (await person.world.get(f"/v1/touchpoints?candidate_id={person.id}"))["data"]]
    assert types == ["profile_updated"]


async def test_what_cannot_be_taken_is_refused_politely(person: Person) -> None:
    await person.enter("profile")
    await person.press("correct", full_name="x" * 501)
    assert "保存できませんでした" in person.page
    await person.press("correct", full_name="<script>alert(1)</script>")
    answer = await person.press("record")
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


async def test_everything_can_be_downloaded(person: Person) -> None:
    await person.enter("privacy")
    await person.world.post(
        "/v1/touchpoints",
        {"candidate_id": person.id, "type": "note", "occurred_at": "2026-11-01T00:00:00Z", "source": "s",
         "data": {"text": "nice"}},
        201,
    )  # fmt: skip
    file = await person.press("download")
    assert file.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    kept: dict[str, Any] = json.loads(file.content)
    assert kept["candidate"]["full_name"] == "山田 太郎"
    assert kept["touchpoints"][0]["data"] == {"text": "nice"}
    assert [each["purpose"] for each in kept["consents"]] == ["talent_pool"]
    assert kept["records"]
    same = await person.world.get(f"/v1/candidates/{person.id}/export")
    assert {name: same[name] for name in ("touchpoints", "records")} == {
        name: kept[name] for name in ("touchpoints", "records")
    }
    audited = (await person.world.get("/v1/audit-log"))["data"]
    assert "disclosure" in {each["kind"] for each in audited}


async def test_they_can_have_everything_deleted(person: Person) -> None:
    await person.enter("privacy")
    await person.press("erase")
    assert "本当に削除しますか" in person.page
    assert (await person.world.api.get(f"/v1/candidates/{person.id}")).status_code == 200
    await person.press("erase", sure="yes")
    assert "すべて削除しました" in person.page
    assert (await person.world.api.get(f"/v1/candidates/{person.id}")).json()["code"] == "erased"
    assert "お預かりしている情報はありません" in await person.look(404)
    await person.press("download", 404)
    [erasure] = (await person.world.get("/v1/erasures"))["data"]
    assert erasure["reason"] == "asked by the person on their page"


async def test_a_link_follows_a_merge(person: Person) -> None:
    await person.link("preferences")
    survivor = await person.world.candidate(full_name="Other Name")
    await person.world.post("/v1/merges", {"survivor_id": survivor, "loser_id": person.id}, 201)
    await person.look()
    await person.press("choose", keep=["events"])
    person.id = survivor
    assert (await decision(person, "talent_pool"))[0] == "deny"


async def test_whoever_has_no_address_is_told_whom_to_ask(person: Person) -> None:
    made = await person.world.post(
        "/v1/candidates", {"full_name": "Nobody", "external_ids": [{"source": "x", "id": "1"}]}
    )
    person.id = made["id"]
    await person.link("privacy")
    page = await person.look()
    assert "コードをお送りできるメールアドレスがありません" in page
    assert "privacy@example.co.jp" in page
    await person.press("code")
    assert not await person.mails()


@pytest.mark.parametrize(
    ("own", "header", "query", "shown"),
    [
        ("ja", "en", "", "ja"),
        ("en-GB", "ja", "", "en"),
        (None, "en-US,ja;q=0.5", "", "en"),
        (None, "fr, ja;q=0.9, en;q=0.8", "", "ja"),
        (None, "", "", "ja"),
        (None, "en;q=0, *", "", "ja"),
        ("ja", "ja", "?lang=en", "en"),
    ],
)
async def test_the_page_speaks_their_language(
    person: Person, own: str | None, header: str, query: str, shown: str
) -> None:
    await person.world.api.patch(f"/v1/candidates/{person.id}", json={"language": own})
    await person.link("preferences")
    person.path += query
    assert f'<html lang="{shown}">' in await person.look(language=header)


async def test_bodies_of_any_kind_are_no_error(person: Person) -> None:
    await person.link("preferences")
    bodies: list[dict[str, Any]] = [
        {"content": b"\xff\xfe=%", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"a&" * 1000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"x" * 100_000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {
            "content": b"action=choose&keep=%00&keep=a%00",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {"json": {"action": "stop"}},
        {"files": {"action": (None, "stop")}},
        {"content": b"\x00"},
    ]
    for body in bodies:
        assert (await person.outside.post(person.path, **body)).status_code == 200
    for bad in ("/p/x", "/p/" + "A" * 43, "/p/%00", "/p/" + "é" * 500):
        for method in ("GET", "HEAD", "POST"):
            assert (await person.outside.request(method, bad)).status_code == 404
