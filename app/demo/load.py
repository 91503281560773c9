"""Loads the demo through the public API; every step may be repeated, so a second run finishes a half-loaded demo."""

import csv
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from datetime import time as clock_time
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx

from app.demo import material
from app.demo.people import Person, people
from app.demo.timeline import timeline

PEOPLE: Final = 300
IMPORTED: Final = 180
SEED: Final = 20
HEADER: Final = (
    "応募者ID", "氏名", "フリガナ", "メールアドレス", "電話番号", "会社名", "経験年数", "スキル",
    "応募日", "選考結果", "同意日",
)  # fmt: skip
ZONE: Final = ZoneInfo("Asia/Tokyo")
ENROLLED: Final = 5
PATIENCE: Final = 100


def load(client: httpx.Client, today: date, *, mail: bool) -> None:
    """Fill the tenant; raises httpx.HTTPError when the service does not answer as it should."""
    _call(client, "PATCH", "/v1/tenant", json=material.TENANT)
    everybody = people(PEOPLE, seed=SEED, today=today)
    imported = [replace(person, imported=True) for person in everybody[:IMPORTED]]
    everybody = [*imported, *everybody[IMPORTED:]]
    _import(client, imported)
    for chunk in _chunks([_fields(person) for person in everybody[IMPORTED:]], 100):
        _call(client, "POST", "/v1/candidates/batch-upsert", json={"items": chunk})
    _met_again(client, everybody[IMPORTED:])
    _consents(client, everybody[IMPORTED:])
    for chunk in _chunks(list(timeline(everybody, seed=SEED, today=today)), 1000):
        _call(client, "POST", "/v1/touchpoints/batch", json=chunk)
    for content in material.CONTENTS:
        _keyed(client, "/v1/contents", content)
    for pool in material.POOLS:
        _keyed(client, "/v1/pools", pool)
    _sequence(client, mail=mail)


def is_loaded(client: httpx.Client) -> bool:
    """Whether the last step of an earlier run is there."""
    return any(each["key"] == material.SEQUENCE["key"] for each in _call(client, "GET", "/v1/sequences")["data"])


def _met_again(client: httpx.Client, found: Sequence[Person]) -> None:
    """Tell of three people again: one is known by sight, of two a person must say who they are."""
    same, shared, namesake = (
        _fields(person) | {"external_ids": [{"source": "event", "id": f"E-{place}"}]}
        for place, person in enumerate(found[:3])
    )
    spelled = {**same, "email_addresses": [{"value": same["email_addresses"][0]["value"].upper()}]}
    spouse = {**shared, "full_name": "佐野 千景", "full_name_kana": "サノ チカゲ"}
    again = {**namesake, "email_addresses": [], "phone_numbers": []}
    for body in (spelled, spouse, again):
        _call(
            client, "POST", "/v1/candidates", json={name: value for name, value in body.items() if name != "client_ref"}
        )


def _import(client: httpx.Client, found: Sequence[Person]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([HEADER, *(_row(person) for person in found)])
    content = file.getvalue().encode("cp932", errors="replace")
    form = {"source": "spreadsheet", "source_type": "past_applicant", "commit": "auto"}
    job = _call(client, "POST", "/v1/imports", files={"file": ("応募者一覧.csv", content, "text/csv")}, data=form)
    while job["state"] not in {"succeeded", "failed", "cancelled"}:
        time.sleep(0.2)
        job = _call(client, "GET", f"/v1/jobs/{job['id']}")


def _row(person: Person) -> list[str]:
    consent = "" if person.consent_on is None else f"{person.consent_on:%Y/%m/%d}"
    return [
        person.external_id,
        person.full_name,
        person.kana,
        person.email,
        person.phone,
        person.company,
        str(person.years),
        "、".join(person.skills),
        f"{person.met_on:%Y/%m/%d}",
        person.result,
        consent,
    ]


def _fields(person: Person) -> dict[str, Any]:
    return {
        "full_name": person.full_name,
        "full_name_kana": person.kana or None,
        "email_addresses": [{"value": person.email, "type": "personal"}],
        "phone_numbers": [{"value": person.phone}],
        "external_ids": [{"source": "ats", "id": person.external_id}],
        "current_company": person.company,
        "birth_date": person.birth_date.isoformat(),
        "years_of_experience": person.years,
        "skills": [{"name": skill} for skill in person.skills],
        "sources": [{"type": person.source, "occurred_on": person.met_on.isoformat()}],
        "client_ref": person.external_id,
    }


def _consents(client: httpx.Client, found: Sequence[Person]) -> None:
    listed = {
        person.external_id: _call(client, "GET", f"/v1/candidates/by-external-id/ats/{person.external_id}")["id"]
        for person in found
        if person.consent_on is not None
    }
    items = [
        {
            "candidate_id": listed[person.external_id],
            "purpose": "talent_pool",
            "channel": "email",
            "status": "granted",
            "basis": "consent",
            "wording": "タレントプールへの登録と、採用に関するご案内の送付に同意します。",
            "evidence": {"kind": "form", "detail": "登録フォーム"},
            "obtained_at": datetime.combine(person.consent_on, clock_time(12), ZONE).isoformat(),
        }
        for person in found
        if person.consent_on is not None
    ]
    _call(client, "POST", "/v1/consents/batch", json={"items": items})


def _sequence(client: httpx.Client, *, mail: bool) -> None:
    template = _keyed(client, "/v1/templates", material.TEMPLATE)
    steps = [{**step, "template_id": template["id"]} for step in material.SEQUENCE["steps"]]
    sequence = _keyed(client, "/v1/sequences", {**material.SEQUENCE, "steps": steps})
    _call(client, "POST", f"/v1/sequences/{sequence['id']}/activate")
    if mail:
        pool = _keyed(client, "/v1/pools", material.POOLS[0])
        listed = _approached(client, pool["id"])
        ids = [row["candidate_id"] for row in listed if row["contact"]["decision"] != "deny"][:ENROLLED]
        _call(client, "POST", f"/v1/sequences/{sequence['id']}/enrollments", json={"candidate_ids": ids})


def _approached(client: httpx.Client, pool_id: str) -> list[dict[str, Any]]:
    """Return whom the pool would approach, once the workers have found its members."""
    for _ in range(PATIENCE):
        found: list[dict[str, Any]] = _call(client, "GET", f"/v1/pools/{pool_id}/approach-list", params={"limit": 200})[
            "data"
        ]
        if found:
            return found
        time.sleep(0.2)
    return []


def _keyed(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Make a resource that has a key, unless there is one of that key."""
    for each in _call(client, "GET", path, params={"limit": 200})["data"]:
        if each["key"] == body["key"]:
            known: dict[str, Any] = each
            return known
    return _call(client, "POST", path, json=body)


def _call(client: httpx.Client, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401 (httpx's)
    answer = client.request(method, path, **request).raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _chunks(items: Sequence[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
