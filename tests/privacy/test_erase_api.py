"""An erasure is complete when it is answered: nothing of the person is anywhere, and they do not come back."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from app.kit import jobs
from app.kit.clock import now
from app.kit.db import Database
from app.sequences.mailer import Begin, Envelope, NullMailer, Outcome
from tests.conftest import TenantFixture
from tests.connectors.hook import KEY, secret_of
from tests.privacy.conftest import BORN, EMAIL, EXTERNAL, NAME, PHONE, Somebody, personal
from tests.sequences.conftest import GRANT, World

Look = Callable[[], Awaitable[dict[str, set[str]]]]
WITHOUT_MARKS: Final = {
    "candidates": {"birth_date", "given_name", "family_name_kana", "family_name_romaji"},
    "match_features": {
        *("birth_date", "family_kana", "family_kanji", "family_key", "family_latin", "fixed_phones", "generic"),
        *("given_kanji", "name_kanji", "nobodys"),
    },
    "deliveries": {"headers"},
    "import_files": {"content"},
    "messages": {"message_id_header"},
    "message_links": {"url"},
    "touchpoints": {"identifier_hash"},
}
"""Personal columns in which no mark can stand, or nothing stands after a file is read; their rows are looked at."""
ROWS: Final = """
select (select count(*) from candidates where birth_date is not null or given_name is not null)
  + (select count(*) from match_features where candidate_id = any(:ids))
  + (select count(*) from deliveries where headers <> '{}' or raw is not null)
  + (select count(*) from import_files)
  + (select count(*) from messages where message_id_header is not null)
  + (select count(*) from message_links)
  + (select count(*) from touchpoints where identifier_hash is not null or message_id is not null)
"""


async def test_nothing_that_tells_who_it_was_is_left_in_any_column(
    somebody: Somebody, left: Look, database: Database, tenant: TenantFixture
) -> None:
    await somebody.live()
    async with database.transaction(tenant.caller) as session:
        [message] = await session.rows("select id from messages")
        await session.run("insert into message_links (message_id, n, url) values (:id, 1, 'x')", id=message.id)
    before = await left()
    missing = {name: columns - before.get(name, set()) for name, columns in personal().items()}
    assert {name: columns for name, columns in missing.items() if columns} == WITHOUT_MARKS
    await somebody.world.post(f"/v1/candidates/{somebody.id}/erase", {"reason": "asked"}, 200)
    assert await left() == {}
    async with database.transaction(tenant.caller) as session:
        ids = [somebody.id, somebody.former]
        left_over = await session.value(ROWS.replace(":ids", "cast(:ids as uuid[])"), ids=ids)
        assert left_over == 2  # the birthday of the namesake, twice since they became part of somebody
    await somebody.world.drain()
    assert await left() == {}


async def test_every_id_is_gone_and_what_is_counted_stays_with_nobody(somebody: Somebody) -> None:
    await somebody.live()
    world = somebody.world
    since = (await world.get("/v1/changes?since=now"))["next_cursor"]
    touchpoints = len((await world.get(f"/v1/touchpoints?candidate_id={somebody.id}"))["data"])
    [sequence] = (await world.get("/v1/sequences"))["data"]
    sent = (await world.get(f"/v1/sequences/{sequence['id']}/report"))["steps"][0]["messages"]
    answer = await world.post(f"/v1/candidates/{somebody.former}/erase", None, 200)
    assert (answer["candidate_id"], answer["acks"], answer["lifted_at"]) == (somebody.id, [], None)
    assert answer["counts"]["touchpoints"] == touchpoints > 2
    for each in (somebody.id, somebody.former):
        for method, path in (("GET", ""), ("POST", "/erase"), ("POST", "/restore"), ("GET", "/consents")):
            gone = await somebody.api.request(method, f"/v1/candidates/{each}{path}")
            assert (gone.status_code, gone.json()["code"]) == (404, "erased")
        assert (await world.get(f"/v1/touchpoints?candidate_id={each}"))["data"] == []
    assert (await world.get(f"/v1/sequences/{sequence['id']}/report"))["steps"][0]["messages"] == sent
    entries = (await world.get(f"/v1/changes?since={since}"))["data"]
    [erased] = [each for each in entries if each["type"] == "candidate.erased"]
    assert (erased["id"], erased["data"]) == (somebody.id, {"erasure_id": answer["id"]})
    assert (await world.get("/v1/erasures"))["data"] == [answer] == [await world.get(f"/v1/erasures/{answer['id']}")]
    [merge] = (await world.get(f"/v1/merges?candidate_id={somebody.id}"))["data"]
    undone = await somebody.api.post(f"/v1/merges/{merge['id']}/undo", json={})
    assert (undone.status_code, undone.json()["code"]) == (404, "erased")


@pytest.fixture
async def erased(world: World) -> dict[str, Any]:
    """The erasure of a person with an address, a number and an id."""
    body = {
        "full_name": NAME,
        "birth_date": BORN,
        "email_addresses": [{"value": EMAIL}],
        "phone_numbers": [{"value": PHONE}],
        "external_ids": [{"source": "ats", "id": EXTERNAL}],
    }
    made = await world.post("/v1/candidates", body, 201)
    found: dict[str, Any] = await world.post(f"/v1/candidates/{made['id']}/erase", {}, 200)
    return found


BACK: Final[list[dict[str, Any]]] = [
    {"email_addresses": [{"value": "ＷＡＳＵＲＥＫＯ．Takahashi@EXAMPLE.com"}]},
    {"full_name": "x", "phone_numbers": [{"value": "+81 90 7431 8852"}]},
    {"full_name": "x", "external_ids": [{"source": "ats", "id": EXTERNAL}]},
]


@pytest.mark.parametrize("body", BACK)
async def test_nobody_comes_back_by_any_door(
    world: World, erased: dict[str, Any], body: dict[str, Any], left: Look
) -> None:
    refused = await world.api.post("/v1/candidates", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "blocked_erased")
    batch = (await world.api.post("/v1/candidates/batch-upsert", json={"items": [body]})).json()["items"][0]
    assert (batch["status"], batch["outcome"]) == (409, "blocked_erased")
    put = await world.api.put("/v1/candidates/by-external-id/ats/other-1", json=body)
    assert (put.status_code, put.json()["code"]) == (409, "blocked_erased")
    assert (await world.post("/v1/dedup/check", body, 200))["data"] == []
    assert erased["counts"]["suppressions"] == 3
    assert await left() == {}


async def test_what_is_told_of_them_later_is_told_of_nobody(world: World, erased: dict[str, Any], left: Look) -> None:
    told = {"type": "call", "occurred_at": "2026-11-01T00:00:00Z", "source": "s"}
    stored = await world.post("/v1/touchpoints", {**told, "email": EMAIL}, 201)
    assert (stored["candidate_id"], stored["identifier"]) == (None, None)
    assert erased["reason"] is None
    assert await left() == {}


async def test_a_file_does_not_bring_them_back(world: World, erased: dict[str, Any], database: Database) -> None:
    content = f"氏名,メールアドレス\n{NAME},{EMAIL.upper()}\n".encode()
    sent = await world.api.post("/v1/imports", files={"file": ("a.csv", content)}, data={"commit": "auto"})
    await jobs.run_jobs(database)
    assert (await world.get(f"/v1/imports/{sent.json()['import_id']}"))["counts"]["blocked_erased"] == 1
    assert erased["candidate_id"]


async def test_their_own_word_lets_them_come_back(world: World, erased: dict[str, Any]) -> None:
    evidence = {"evidence": {"kind": "form", "detail": "wasureko asked on the career site"}}
    path = f"/v1/erasures/{erased['id']}"
    assert (await world.api.post(f"{path}/lift", json={})).status_code == 422
    lifted = await world.post(f"{path}/lift", evidence, 200)
    assert lifted["lifted_at"] is not None
    assert await world.post(f"{path}/lift", evidence, 200) == lifted
    assert (await world.api.post("/v1/candidates", json=BACK[0])).status_code == 201
    assert (await world.api.get(f"/v1/candidates/{erased['candidate_id']}")).json()["code"] == "erased"
    audited = (await world.get("/v1/audit-log"))["data"]
    assert "lift_erasure" in {each["action"] for each in audited}


async def test_other_systems_acknowledge_once(world: World, erased: dict[str, Any]) -> None:
    path = f"/v1/erasures/{erased['id']}"
    told = await world.post(f"{path}/acks", {"system": "ats", "evidence": "ticket 1"}, 201)
    assert [(each["system"], each["evidence"]) for each in told["acks"]] == [("ats", "ticket 1")]
    again = await world.api.post(f"{path}/acks", json={"system": "ats"})
    assert (again.status_code, again.json()["code"]) == (409, "already_acknowledged")
    assert (await world.get(path))["acks"] == told["acks"]
    for missing in (path[:-1] + ("0" if path[-1] != "0" else "1"), "/v1/erasures/x"):
        assert (await world.api.get(missing)).status_code == 404


async def test_versions_are_held_to(world: World) -> None:
    person = await world.candidate(granted=False)
    stale = await world.api.post(f"/v1/candidates/{person}/erase", headers={"If-Match": '"v9"'})
    assert stale.status_code == 412
    assert (await world.api.patch("/v1/tenant", json={"require_if_match": True})).status_code == 200
    assert (await world.api.post(f"/v1/candidates/{person}/erase")).status_code == 428
    done = await world.api.post(f"/v1/candidates/{person}/erase", headers={"If-Match": "*"}, json={"reason": "y"})
    assert (done.status_code, done.json()["reason"]) == (200, "y")


async def test_a_reason_that_names_them_is_not_kept(world: World, left: Look) -> None:
    made = await world.post("/v1/candidates", {"full_name": NAME, "email_addresses": [{"value": EMAIL}]}, 201)
    erased = await world.post(f"/v1/candidates/{made['id']}/erase", {"reason": f"{NAME} called"}, 200)
    assert erased["reason"] is None
    assert await left() == {}


async def test_what_never_found_them_forgets_them_too(
    world: World, left: Look, database: Database, tenant: TenantFixture
) -> None:
    """A touchpoint that waits for its person, and a call of a hook that waits to be read."""
    told = {"type": "call", "occurred_at": "2026-11-01T00:00:00Z", "source": "s", "data": {"of": EMAIL}}
    await world.post("/v1/touchpoints", {**told, "email": EMAIL}, 201)
    body = {"provider": "sendgrid", "name": "Mails", "settings": {}, "secret": secret_of(KEY)}
    connection = (await world.api.post("/v1/connections", json=body)).json()["id"]
    async with database.transaction(tenant.caller) as session:
        await session.run(
            """insert into deliveries (id, connection_id, raw, status)
               values (uuidv7(), cast(:c as uuid), :raw, 'stored')""",
            c=connection,
            raw=f'{{"email": "{EMAIL}", "name": "{NAME}", "other": "hanako@example.org"}}'.encode(),
        )
    person = (await world.post("/v1/candidates", {"full_name": NAME, "email_addresses": [{"value": EMAIL}]}, 201))["id"]
    await world.post(f"/v1/candidates/{person}/erase", {}, 200)
    assert await left() == {}
    async with database.transaction(tenant.caller) as session:
        raw = await session.value("select convert_from(raw, 'UTF8') from deliveries")
    assert raw == '{"email": "erased", "name": "erased", "other": "hanako@example.org"}'


async def test_a_mail_that_waits_does_not_leave(world: World) -> None:
    sequence, person = await world.sequence(), await world.candidate()
    enrollment = await world.enroll(sequence, person)
    await world.post(f"/v1/candidates/{person}/erase", {}, 200)
    await world.send()
    assert not world.mailer.recorded
    assert (await world.message(sequence_id=sequence))["state"] == "cancelled"
    assert (await world.get(f"/v1/enrollments/{enrollment}"))["exit"]["reason"] == "erased"


class Interrupted(NullMailer):
    """Sends while its receiver is being erased."""

    def __init__(self, world: World, person: str, outcome: Outcome) -> None:
        super().__init__()
        self.world, self.person, self.outcome = world, person, outcome

    async def send(self, envelope: Envelope, begin: Begin) -> Outcome:
        assert await begin()
        self.recorded.append(envelope)
        await self.world.post(f"/v1/candidates/{self.person}/erase", {}, 200)
        return self.outcome


@pytest.mark.parametrize("outcome", [Outcome("sent", 250, EMAIL), Outcome("failed", 550, EMAIL, bounce="hard")])
async def test_a_mail_that_is_leaving_leaves_nothing_behind(world: World, left: Look, outcome: Outcome) -> None:
    sequence, person = await world.sequence(), await world.candidate(email_addresses=[{"value": EMAIL}])
    await world.enroll(sequence, person)
    await world.send(Interrupted(world, person, outcome))
    await world.drain()
    message = await world.message(sequence_id=sequence)
    assert (message["state"], message["smtp"], message["to"]) == (outcome.kind, None, None)
    assert await left() == {}


async def _passed(database: Database, tenant: TenantFixture, person: str) -> None:
    """Let it be thirty days since somebody was deleted."""
    async with database.transaction(tenant.caller) as session:
        ago = {"id": person, "by": timedelta(days=30)}
        await session.run("update candidates set hidden_at = hidden_at - :by where id = cast(:id as uuid)", **ago)
        await session.run("update due set due_at = :now where kind = 'hidden'", now=now() - timedelta(seconds=1))


async def test_who_was_deleted_is_erased_after_thirty_days(
    world: World, database: Database, tenant: TenantFixture, left: Look
) -> None:
    person = (await world.post("/v1/candidates", {"full_name": NAME, "email_addresses": [{"value": EMAIL}]}, 201))["id"]
    await world.post(f"/v1/candidates/{person}/consents", GRANT, 201)
    assert (await world.api.delete(f"/v1/candidates/{person}")).status_code == 204
    await world.drain()
    assert (await world.api.get(f"/v1/candidates/{person}")).json()["code"] == "not_found"
    await _passed(database, tenant, person)
    await world.drain()
    assert (await world.api.get(f"/v1/candidates/{person}")).json()["code"] == "erased"
    assert await left() == {}
    assert (await world.api.post("/v1/candidates", json=BACK[0])).status_code == 409


async def test_who_was_restored_in_time_stays(world: World, database: Database, tenant: TenantFixture) -> None:
    person = await world.candidate()
    assert (await world.api.delete(f"/v1/candidates/{person}")).status_code == 204
    await world.post(f"/v1/candidates/{person}/restore", {}, 200)
    await _passed(database, tenant, person)
    await world.drain()
    assert (await world.api.get(f"/v1/candidates/{person}")).status_code == 200


async def test_who_came_by_a_mistaken_file_may_come_again(
    world: World, database: Database, tenant: TenantFixture, left: Look
) -> None:
    """Undoing an import hides whom it had made; they never asked to be forgotten."""
    content = f"氏名,メールアドレス\n{NAME},{EMAIL}\n".encode()
    sent = await world.api.post("/v1/imports", files={"file": ("a.csv", content)}, data={"commit": "auto"})
    await jobs.run_jobs(database)
    [person] = (await world.get("/v1/candidates"))["data"]
    assert (await world.api.post(f"/v1/imports/{sent.json()['import_id']}/undo")).status_code == 202
    await jobs.run_jobs(database)
    await _passed(database, tenant, person["id"])
    await world.drain()
    assert (await world.api.get(f"/v1/candidates/{person['id']}")).json()["code"] == "erased"
    assert await left() == {}
    assert (await world.api.post("/v1/candidates", json=BACK[0])).status_code == 201


async def test_another_tenant_and_a_lesser_key_cannot(
    world: World, client_of: Callable[[str], httpx.AsyncClient], new_tenant: Callable[[], Awaitable[TenantFixture]]
) -> None:
    person = await world.candidate(granted=False)
    other = client_of((await new_tenant()).key)
    assert (await other.post(f"/v1/candidates/{person}/erase")).status_code == 404
    made = (await world.post("/v1/api-keys", {"name": "k", "scopes": ["candidates:*"]}, 201))["key"]
    assert (await client_of(made).post(f"/v1/candidates/{person}/erase")).status_code == 403
