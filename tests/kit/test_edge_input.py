"""Odd values in queries and bodies are refused by name, and never break the service."""

import httpx
import pytest

from app.kit.edge import field_error
from app.kit.errors import FieldError

FAR = ["0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00", "1700000000", "2026-01-01"]


@pytest.mark.parametrize("moment", FAR)
async def test_moments_of_a_query_are_rfc_3339_within_the_calendar(api: httpx.AsyncClient, moment: str) -> None:
    answer = await api.get("/v1/touchpoints", params={"occurred_at_gte": moment})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/occurred_at_gte")


@pytest.mark.parametrize("moment", [*FAR, 1_700_000_000, 1.5, True, None])
async def test_moments_of_a_body_are_rfc_3339_within_the_calendar(api: httpx.AsyncClient, moment: object) -> None:
    said = {"email": "a@example.com", "type": "note", "source": "s", "occurred_at": moment}
    answer = await api.post("/v1/touchpoints", json=said)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/occurred_at")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"birth_date": 0}, "/birth_date"),
        ({"birth_date": "1990-04-01T00:00:00"}, "/birth_date"),
        ({"birth_date": "1990-02-31"}, "/birth_date"),
        ({"years_of_experience": "7"}, "/years_of_experience"),
        ({"years_of_experience": True}, "/years_of_experience"),
        ({"skills": [{"name": "Go", "level": "3"}]}, "/skills/0/level"),
        ({"email_addresses": [{"value": "a@example.com", "is_primary": "yes"}]}, "/email_addresses/0/is_primary"),
    ],
)
async def test_a_value_of_another_kind_is_not_taken_for_one(
    api: httpx.AsyncClient, said: dict[str, object], pointer: str
) -> None:
    answer = await api.post("/v1/candidates", json={"full_name": "Ada", **said})
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [pointer])
    item = (await api.post("/v1/candidates/batch-upsert", json={"items": [{"full_name": "Ada", **said}]})).json()
    assert [each["pointer"] for each in item["items"][0]["errors"]] == [f"/items/0{pointer}"]


async def test_a_nul_names_nothing_and_finds_nothing(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/touchpoints", params={"type": "no\x00te"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/type")
    assert (await api.get("/v1/score-models/a%00b")).status_code == 404


@pytest.mark.parametrize(
    ("loc", "kind", "pointer"),
    [
        (("steps", 0, "wait", "for"), "value_error", "/steps/0/for"),
        (("steps", 0, "wait"), "value_error", "/steps/0"),
        (("steps", 0, "wait", "key"), "missing", "/steps/0/key"),
        (("steps", 1), "missing", "/steps/1"),
    ],
)
def test_places_are_those_of_the_body(loc: tuple[str | int, ...], kind: str, pointer: str) -> None:
    body = {"steps": [{"type": "wait", "for": "x"}]}
    found = field_error({"loc": ("body", *loc), "type": kind}, body)
    assert isinstance(found, FieldError)
    assert found.pointer == pointer


@pytest.mark.parametrize(
    ("path", "said", "pointer"),
    [
        ("candidates", {"full_name": "Ada", "firstName": "Ada"}, "/firstName"),
        ("candidates", {"full_name": "Ada", "custom_fields": {"note": ["a\x00"]}}, "/custom_fields/note/0"),
        ("candidates", {"full_name": "Ada", "custom_fields": {"a@b.jp": {"note": "\x00"}}}, "/custom_fields"),
        ("candidates", {"full_name": "Ada", "ada@example.com": 1}, ""),
        ("candidates", {"full_name": "Ada", "skills": [{"name": "Go", "山田 太郎": 1}]}, "/skills/0"),
        (
            "candidates/search",
            {"criteria": {"field": "skills", "op": "has", "value": {"ada@example.com": 1}}},
            "/criteria/value",
        ),
        (
            "candidates/search",
            {"criteria": {"field": "skills", "op": "has", "value": {"year": 1}}},
            "/criteria/value/year",
        ),
    ],
)
async def test_a_member_nobody_knows_is_named_unless_it_could_be_data(
    api: httpx.AsyncClient, path: str, said: dict[str, object], pointer: str
) -> None:
    answer = await api.post(f"/v1/{path}", json=said)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize("number", ["1e400", "-1E+999", "9" * 400])
async def test_a_number_that_nobody_can_keep_is_refused_and_not_lost(api: httpx.AsyncClient, number: str) -> None:
    person = f'{{"full_name": "Ada", "custom_fields": {{"n": [{number}]}}}}'

    async def post(path: str, body: str) -> httpx.Response:
        return await api.post(path, content=body, headers={"Content-Type": "application/json"})

    alone = await post("/v1/candidates", person)
    assert alone.status_code == 422
    assert [(each["pointer"], each["code"]) for each in alone.json()["errors"]] == [
        ("/custom_fields/n/0", "out_of_range")
    ]
    among = (await post("/v1/candidates/batch-upsert", f'{{"items": [{{"full_name": "Bob"}}, {person}]}}')).json()
    assert [each["status"] for each in among["items"]] == [201, 422]
    touch = '{"email": "a@example.com", "type": "note", "source": "s", "occurred_at": "2026-01-01T00:00:00Z"'
    signals = await post("/v1/touchpoints/batch", f'[{touch}}}, {touch}, "data": {{"n": {number}}}}}]')
    assert [each["status"] for each in signals.json()["items"]] == [201, 422]


async def test_text_of_one_signal_that_cannot_be_kept_fails_it_alone(api: httpx.AsyncClient) -> None:
    said = rb'"type": "note", "source": "s", "occurred_at": "2026-01-01T00:00:00Z"'
    body = rb'[{"email": "a@example.com", ' + said + rb'}, {"client_ref": "x", "email": "\ud800", ' + said + b"}]"
    answer = await api.post("/v1/touchpoints/batch", content=body, headers={"Content-Type": "application/json"})
    assert [(each["status"], each["client_ref"]) for each in answer.json()["items"]] == [(201, None), (422, "x")]
