"""Files over HTTP: staged, written, undone, cancelled, and going on after a crash."""

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.imports import batch, staging
from app.imports.batch import Sheet
from app.imports.schemas import Staged
from app.kit import jobs, json
from app.kit.db import Database, Session
from tests.conftest import TenantFixture
from tests.factories.spreadsheets import Spreadsheet, spreadsheet
from tests.imports.test_files import BOMB, workbook

Form = dict[str, str]
HEADER = "氏名,メールアドレス,応募日,選考結果,同意日\n"


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.fixture(scope="module")
def sheet() -> Spreadsheet:
    return spreadsheet(120, duplicates=10, broken=8)


@pytest.fixture
def importing(api: httpx.AsyncClient, database: Database) -> Callable[..., Awaitable[Any]]:
    """Uploads a file, does the work and answers the import."""

    async def run(content: bytes, name: str = "people.csv", **form: str) -> Any:
        accepted = await api.post("/v1/imports", files={"file": (name, content)}, data=form)
        assert accepted.status_code == 202, accepted.text
        await jobs.run_jobs(database)
        return (await api.get(f"/v1/imports/{accepted.json()['import_id']}")).json()

    return run


Importing = Callable[..., Awaitable[Any]]


async def _act(api: httpx.AsyncClient, database: Database, found: Any, verb: str) -> Any:
    answer = await api.post(f"/v1/imports/{found['id']}/{verb}")
    assert answer.status_code == 202, answer.text
    await jobs.run_jobs(database)
    return (await api.get(f"/v1/imports/{found['id']}")).json()


async def _rows(api: httpx.AsyncClient, found: Any, query: str = "") -> list[Any]:
    return list((await api.get(f"/v1/imports/{found['id']}/rows?limit=200{query}")).json()["data"])


async def _people(api: httpx.AsyncClient) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = (await api.get(f"/v1/candidates?limit=200{cursor}")).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def test_a_cp932_file_is_staged_with_a_verdict_for_every_row(
    api: httpx.AsyncClient, importing: Importing, sheet: Spreadsheet
) -> None:
    found = await importing(sheet.cp932())
    assert (found["state"], found["encoding"], found["rows"], found["warnings"]) == ("staged", "cp932", 120, [])
    assert (found["counts"]["invalid"], sum(found["counts"].values())) == (8, 120)
    assert found["counts"]["create"] + found["counts"]["possible_duplicate"] == 102
    assert found["counts"]["update"] == 10
    job = (await api.get(f"/v1/jobs/{found['job_id']}")).json()
    assert (job["state"], job["progress"]) == ("succeeded", {"done": 120, "total": 120})
    assert await _people(api) == []
    invalid = await _rows(api, found, "&verdict=invalid")
    assert len(invalid) == 8
    assert all(row["errors"][0]["column"] and row["errors"][0]["detail"] for row in invalid)


async def test_writing_does_what_the_dry_run_said_and_brings_consent_and_history(
    api: httpx.AsyncClient, database: Database, importing: Importing, sheet: Spreadsheet
) -> None:
    staged = await importing(sheet.utf8())
    found = await _act(api, database, staged, "commit")
    assert (found["state"], found["counts"]) == ("committed", staged["counts"])
    people = await _people(api)
    assert len(people) == 102
    rows = {row["candidate_id"] for row in await _rows(api, found) if row["candidate_id"]}
    assert rows == {person["id"] for person in people}
    consented = next(person for person in sheet.people if person.consent_on)
    candidate = next(each for each in people if each["email_addresses"][0]["value"].lower() == consented.email)
    consents = (await api.get(f"/v1/candidates/{candidate['id']}/consents")).json()["data"]
    assert {(each["purpose"], each["status"], each["basis"]) for each in consents} == {
        ("recruiting", "granted", "consent"),
        ("talent_pool", "granted", "consent"),
    }
    history = (await api.get(f"/v1/touchpoints?candidate_id={candidate['id']}")).json()["data"]
    assert [each["type"] for each in history][-1] == "applied"
    assert {each["type"] for each in history} & {"rejected", "offer_declined"}
    feed = (await api.get("/v1/changes?limit=200&since=now")).json()
    assert feed["data"] == []


async def test_the_same_file_again_changes_nothing(api: httpx.AsyncClient, importing: Importing) -> None:
    file = (HEADER + "髙橋 花子,hanako@example.jp,2024/04/01,不採用,2024/04/01\n").encode()
    first = await importing(file, commit="auto")
    assert (first["state"], first["counts"]["create"]) == ("committed", 1)
    again = await importing(file, commit="auto")
    assert again["counts"]["unchanged"] == 1
    [person] = await _people(api)
    consents = (await api.get(f"/v1/candidates/{person['id']}/consents")).json()["data"]
    history = (await api.get(f"/v1/touchpoints?candidate_id={person['id']}")).json()["data"]
    assert (len(consents), len(history)) == (2, 2)


@pytest.mark.parametrize(
    ("content", "name", "encoding"),
    [
        ((HEADER + "山田 太郎,t@example.jp,,,\n").encode("utf-16"), "a.csv", "utf-16-le"),
        ((HEADER + "山田 太郎,t@example.jp,,,\n").replace(",", "\t").encode("cp932"), "a.tsv", "cp932"),
        (workbook([["氏名", "メール"], ["山田 太郎", "t@example.jp"]]), "a.xlsx", None),
        (json.dumpb({"full_name": "山田 太郎", "email_addresses": [{"value": "t@example.jp"}]}), "a.ndjson", "utf-8"),
    ],
)
async def test_every_format_becomes_people(
    api: httpx.AsyncClient, importing: Importing, content: bytes, name: str, encoding: str | None
) -> None:
    found = await importing(content, name, commit="auto")
    assert (found["state"], found["encoding"], found["counts"]["create"]) == ("committed", encoding, 1)
    [person] = await _people(api)
    assert (person["full_name"], person["email_addresses"][0]["value"]) == ("山田 太郎", "t@example.jp")


async def test_a_mapping_and_unknown_columns(api: httpx.AsyncClient, importing: Importing) -> None:
    mapping = json.dumps({"だれ": "full_name", "れんらく": "email_addresses[0].value"})
    found = await importing("だれ,れんらく,血液型\n山田,t@example.jp,A\n".encode(), mapping=mapping, commit="auto")
    assert [note["code"] for note in found["warnings"]] == ["unmapped_column"]
    assert [person["full_name"] for person in await _people(api)] == ["山田"]


async def test_custom_fields_are_read_as_they_are_defined(api: httpx.AsyncClient, importing: Importing) -> None:
    await api.post("/v1/custom-fields", json={"key": "grade", "name": "Grade", "type": "number"})
    mapping = json.dumps({"等級": "custom_fields.grade", "宗": "custom_fields.宗教"})
    found = await importing("氏名,等級,宗\n山田,３,\n佐藤,三級,\n鈴木,4,仏\n".encode(), mapping=mapping, commit="auto")
    assert [(each["full_name"], each["custom_fields"]) for each in await _people(api)] == [("山田", {"grade": 3})]
    rows = (await api.get(f"/v1/imports/{found['id']}/rows?verdict=invalid")).json()["data"]
    assert [[(each["column"], each["code"]) for each in row["errors"]] for row in rows] == [
        [("等級", "wrong_type")],
        [("宗", "sensitive_field")],
    ]


async def test_only_unknown_columns_fail_the_job(api: httpx.AsyncClient, importing: Importing) -> None:
    found = await importing("血液型,星座\nA,天秤座\n".encode())
    assert (found["state"], found["error"]["code"]) == ("failed", "no_known_column")
    job = (await api.get(f"/v1/jobs/{found['job_id']}")).json()
    assert (job["state"], job["error"]["code"]) == ("failed", "no_known_column")
    refused = await api.post(f"/v1/imports/{found['id']}/commit")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_state")


async def test_a_wrong_encoding_fails_with_the_row_of_its_first_byte(importing: Importing) -> None:
    file = b"name,email\nJohn Doe,j@example.com\n" + "髙橋 花子,h@example.jp\n".encode("cp932")
    found = await importing(file, encoding="utf-8")
    assert (found["state"], found["error"]["code"]) == ("failed", "undecodable")
    assert "row 2" in found["error"]["detail"]


async def test_nul_bytes_and_impossible_dates_are_errors_of_their_rows(
    api: httpx.AsyncClient, importing: Importing
) -> None:
    file = (HEADER + "山\x00田,a@example.jp,,,\n鈴木 一,b@example.jp,2024/02/31,,\n佐藤 二,c@example.jp,,,\n").encode()
    found = await importing(file, commit="auto")
    assert (found["counts"]["invalid"], found["counts"]["create"]) == (2, 1)
    notes = [
        (row["row"], row["errors"][0]["column"], row["errors"][0]["code"]) for row in (await _rows(api, found))[:2]
    ]
    assert notes == [(1, "氏名", "unreadable_text"), (2, "応募日", "invalid_date")]


@pytest.mark.parametrize(
    ("content", "form", "code"),
    [
        (b"", {}, "empty_file"),
        (BOMB, {}, "archive_too_large"),
        (b"%PDF-1.7 x", {}, "unknown_format"),
        (b"name\nx\n", {"encoding": "klingon"}, "unknown_encoding"),
        (b"name\nx\n", {"mapping": "{"}, "invalid"),
        (b"name\nx\n", {"mapping": '{"name": "shoe_size"}'}, "unknown_field"),
        (b"name\nx\n", {"commit": "maybe"}, "invalid"),
        (b"name\nx\n", {"colour": "red"}, "invalid"),
        (b"name\nx\n", {"source": "a\x00b"}, "invalid"),
    ],
)
async def test_what_the_upload_itself_shows_is_422(
    api: httpx.AsyncClient, content: bytes, form: Form, code: str
) -> None:
    answer = await api.post("/v1/imports", files={"file": ("a.csv", content)}, data=form)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await api.get("/v1/imports")).json()["data"] == []


async def test_size_media_type_and_form_are_held_to(api: httpx.AsyncClient) -> None:
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    large = await api.post("/v1/imports", content=b"--x", headers={**multipart, "Content-Length": str(51 << 20)})
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    media = await api.post("/v1/imports", json={})
    assert (media.status_code, media.json()["code"]) == (415, "unsupported_media_type")
    broken = await api.post("/v1/imports", content=b"nonsense", headers=multipart)
    assert broken.status_code in {400, 422}
    missing = await api.post("/v1/imports", files={"other": b"x"})
    assert missing.status_code == 422
    assert (await api.get("/v1/imports/nothing/rows")).status_code == 404


async def test_undo_takes_back_what_was_made_and_what_was_said(
    api: httpx.AsyncClient, database: Database, importing: Importing
) -> None:
    before = (
        await api.post(
            "/v1/candidates", json={"full_name": "髙橋 花子", "email_addresses": [{"value": "h@example.jp"}]}
        )
    ).json()
    file = "氏名,メール,会社名\n高橋　花子,H@example.jp,株式会社新\n山田 太郎,t@example.jp,\n鈴木 一,s@example.jp,\n"
    found = await importing(file.encode(), commit="auto")
    assert (found["counts"]["update"], found["counts"]["create"]) == (1, 2)
    kept = (await _rows(api, found))[2]["candidate_id"]
    await api.post("/v1/candidates", json={"full_name": "鈴木 一", "email_addresses": [{"value": "s@example.jp"}]})
    undone = await _act(api, database, found, "undo")
    assert (undone["state"], [(each["row"], each["kind"]) for each in undone["conflicts"]]) == (
        "undone",
        [(3, "record")],
    )
    people = {person["id"]: person for person in await _people(api)}
    assert set(people) == {before["id"], kept}
    now = people[before["id"]]
    free = {"version", "updated_at", "match"}
    assert {name: now[name] for name in now.keys() - free} == {name: before[name] for name in before.keys() - free}
    again = await importing(file.encode())
    assert (again["counts"]["create"], again["counts"]["update"]) == (1, 1)
    refused = await api.post(f"/v1/imports/{again['id']}/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_state")


async def test_cancelling_forgets_the_rows(api: httpx.AsyncClient, database: Database, importing: Importing) -> None:
    found = await importing((HEADER + "山田 太郎,t@example.jp,,,\n").encode())
    cancelled = await _act(api, database, found, "cancel")
    assert (cancelled["state"], await _rows(api, found)) == ("cancelled", [])
    assert (await api.post(f"/v1/imports/{found['id']}/commit")).status_code == 409
    assert (await api.post(f"/v1/imports/{found['id']}/cancel")).status_code == 409
    queued = (await api.post("/v1/imports", files={"file": ("a.csv", HEADER.encode() + b"x,,,,\n")})).json()
    stopped = await _act(api, database, {"id": queued["import_id"]}, "cancel")
    assert stopped["state"] == "cancelled"
    assert (await api.get(f"/v1/jobs/{queued['id']}")).json()["state"] == "cancelled"


async def test_a_crash_in_the_middle_loses_no_row_and_doubles_none(
    api: httpx.AsyncClient,
    database: Database,
    tenant: TenantFixture,
    sheet: Spreadsheet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(staging, "CHUNK", 25)
    whole, calls = batch.write, 0

    async def write(session: Session, shared: Sheet, stored: list[Staged]) -> Any:
        nonlocal calls
        calls += 1
        judged = await whole(session, shared, stored)
        if calls == 3:
            raise Crash
        return judged

    monkeypatch.setattr(batch, "write", write)
    job = (await api.post("/v1/imports", files={"file": ("a.csv", sheet.cp932())}, data={"commit": "auto"})).json()
    with pytest.raises(Crash):
        await jobs.run_jobs(database)
    half = await _people(api)
    assert 0 < len(half) <= 50
    async with database.transaction(tenant.caller) as session:
        await session.run("update jobs set lease_until = now() - interval '1 s' where id = :id", id=UUID(job["id"]))
    await jobs.run_jobs(database)
    found = (await api.get(f"/v1/imports/{job['import_id']}")).json()
    assert (found["state"], sum(found["counts"].values())) == ("committed", 120)
    assert len(await _people(api)) == 102
    progress = (await api.get(f"/v1/jobs/{job['id']}")).json()
    assert (progress["progress"], progress["counts"]["invalid"]) == ({"done": 120, "total": 120}, 8)


async def test_errors_are_a_file_that_a_spreadsheet_opens_safely(api: httpx.AsyncClient, importing: Importing) -> None:
    found = await importing((HEADER + "山田,t@example.jp,＝HYPERLINK(1),,\n鈴木,s@example.jp,=1+1,,\n").encode())
    answer = await api.get(f"/v1/imports/{found['id']}/errors.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["row"], row["column"], row["code"], row["value"]) for row in rows] == [
        ("1", "応募日", "invalid_date", "'＝HYPERLINK(1)"),
        ("2", "応募日", "invalid_date", "'=1+1"),
    ]


async def test_a_form_that_demands_consent_skips_who_gave_none(api: httpx.AsyncClient, importing: Importing) -> None:
    file = (HEADER + "山田 太郎,t@example.jp,,,\n鈴木 一,s@example.jp,,,2025/01/01\n").encode()
    found = await importing(file, basis="consent", commit="auto")
    assert (found["counts"]["no_consent_basis"], found["counts"]["create"]) == (1, 1)
    assert [person["full_name"] for person in await _people(api)] == ["鈴木 一"]


async def test_imports_are_listed_and_belong_to_their_tenant(
    api: httpx.AsyncClient,
    importing: Importing,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
) -> None:
    found = await importing((HEADER + "山田 太郎,t@example.jp,,,\n").encode())
    assert [each["id"] for each in (await api.get("/v1/imports")).json()["data"]] == [found["id"]]
    other = client_of((await new_tenant()).key)
    for path in ("", "/rows", "/errors.csv"):
        assert (await other.get(f"/v1/imports/{found['id']}{path}")).status_code == 404
    assert (await other.post(f"/v1/imports/{found['id']}/commit")).status_code == 404
