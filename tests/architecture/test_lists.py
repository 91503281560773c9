"""Every list of the document, walked while it grows: whoever was there at the beginning comes exactly once."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import openapi
from app.kit import due, jobs
from app.kit.db import Database
from tests.conftest import TenantFixture
from tests.scale import scaled
from tests.sequences.conftest import GRANT, SENDER

pytestmark = pytest.mark.more
MOMENT: Final = "2026-01-01T00:00:00Z"
ROUNDS: Final = 4
"""So often everything grows."""
CRITERIA: Final = {"field": "tags", "op": "exists"}
GENERIC: Final[dict[str, Any]] = {
    "provider": "generic",
    "name": "Meetups",
    "secret": "0123456789abcdef",
    "settings": {
        "header": "X-Token",
        "mapping": {"external_id": "/id", "type": "/what", "occurred_at": "/at", "email": "/mail"},
        "types": {"came": "event_attended"},
    },
}

BODY: Final = "<p>{{ candidate.full_name }}</p>{{ legal_footer }}"
ROWS: Final = {
    "/v1/audit-log": "request_id",
    "/v1/candidates/{candidate_id}/records": "record_id",
    "/v1/changes": "seq",
    "/v1/imports/{import_id}/rows": "row",
    "/v1/pools/{pool_id}/approach-list": "candidate_id",
    "/v1/pools/{pool_id}/members": "candidate_id",
    "/v1/positions/{position_id}/matches": "candidate_id",
    "/v1/scores": "candidate_id",
    "/v1/vocabularies/{vocabulary}": "value",
}
"""What tells the rows of a list apart, where it is not their id."""
FILTERS: Final[Mapping[str, dict[str, str]]] = {
    "/v1/audit-log": {"kind": "write"},
    "/v1/candidates": {"tag": "known", "sort": "-full_name"},
    "/v1/candidates/{candidate_id}/consents": {"purpose": "talent_pool"},
    "/v1/dedup/pairs": {"status": "open"},
    "/v1/messages": {"state": "scheduled"},
    "/v1/scores": {"sort": "value"},
    "/v1/suppressions": {"channel": "email", "reason": "manual"},
    "/v1/touchpoints": {"type": "event_attended"},
}
"""Filters and orders of some of the lists, which are walked with them or without."""


class Place:
    """A tenant of which every list has rows."""

    def __init__(self, api: httpx.AsyncClient, work: Callable[[], Awaitable[None]]) -> None:
        self.api, self._work = api, work
        self.ids: dict[str, str] = {"vocabulary": "tags"}
        self._numbers = count()

    async def prepare(self) -> None:
        """Make what lists hang on, and some rows of each."""
        await self.api.patch("/v1/tenant", json={"sender": SENDER})
        self.ids["pool_id"] = await self._make("pools", key="p", name="P", criteria=CRITERIA)
        self.ids["position_id"] = await self._make("positions", name="P", criteria=CRITERIA)
        self.ids["connection_id"] = await self._make("connections", **GENERIC)
        template = await self._make("templates", key="t", subject="K", body=BODY, language="ja")
        steps = [{"key": "m", "type": "send", "template_id": template}]
        self.ids["sequence_id"] = await self._make("sequences", key="s", steps=steps)
        await self._post(f"sequences/{self.ids['sequence_id']}/activate")
        for _ in range(3):
            await self.grow()
        self.ids["import_id"] = await self._import("".join(f"Row {row}\n" for row in range(4)))
        await self._work()

    async def grow(self) -> None:
        """Write one more row, at least, into every list; a list of one import's rows does not grow."""
        at = next(self._numbers)
        for write in (self._person, self._kept, self._signals, self._pair, self._merge, self._erase):
            await write(at)
        await self._import(f"Imported {at}\n")
        await self._work()

    async def rest(self) -> None:
        """Leave nothing to the senders of later tests, which serve every tenant."""
        await self._post(f"sequences/{self.ids['sequence_id']}/pause")

    async def _person(self, at: int) -> None:
        """Say one thing more of somebody known, and enroll somebody new."""
        path, said = "/v1/candidates/by-external-id/x/one", {"full_name": "One", "tags": ["known", f"tag-{at}"]}
        known: str = (await self.api.put(path, json={**said, "headline": f"H{at}"})).json()["id"]
        self.ids["candidate_id"] = known
        await self._post(f"candidates/{known}/consents", **GRANT)
        new = await self._make("candidates", full_name=f"New {at}", tags=["known"], headline=f"N{at}")
        await self._post(f"sequences/{self.ids['sequence_id']}/enrollments", candidate_id=new)

    async def _kept(self, at: int) -> None:
        await self._make("api-keys", name="K", scopes=["candidates:read"])
        await self._make("connections", **GENERIC)
        await self._make("contents", key=f"c{at}", kind="article", title="K", url=f"https://example.com/{at}")
        await self._make("custom-fields", key=f"k{at}", name="K", type="text")
        await self._make("pools", key=f"p{at}", name="K", criteria={"any": []})
        await self._make("positions", name=f"K{at}", criteria={"any": []})
        await self._make("saved-searches", key=f"k{at}", name="K")
        await self._make("sequences", key=f"s{at}")
        await self._make("suppressions", channel="email", value=f"k{at}@example.com", reason="manual")
        await self._make("templates", key=f"t{at}", subject="K", body=BODY, language="ja")

    async def _signals(self, at: int) -> None:
        """Tell of somebody known, of nobody known, and by a hook."""
        met = {"type": "event_attended", "occurred_at": MOMENT, "source": "meetups"}
        await self._make("touchpoints", candidate_id=self.ids["candidate_id"], **met)
        await self._make("touchpoints", email=f"nobody-{at}@example.com", **met)
        told = {"id": f"{at}", "what": "came", "at": MOMENT, "mail": "nobody@example.com"}
        hook, headers = f"/v1/hooks/{self.ids['connection_id']}", {"X-Token": GENERIC["secret"]}
        assert (await self.api.post(hook, json=told, headers=headers)).status_code == 204

    async def _pair(self, at: int) -> None:
        said = {"full_name": f"山田 花子{at}", "birth_date": "1990-01-01", "on_match": "review"}
        for _ in range(2):
            await self._make("candidates", **said)

    async def _merge(self, at: int) -> None:
        survivor, loser = [await self._make("candidates", full_name=f"Twin {at}", on_match="create") for _ in range(2)]
        await self._make("merges", survivor_id=survivor, loser_id=loser)

    async def _erase(self, at: int) -> None:
        gone = await self._make("candidates", full_name=f"Gone {at}")
        await self._post(f"candidates/{gone}/erase", reason="asked")

    async def _import(self, rows: str) -> str:
        file = ("people.csv", f"氏名\n{rows}".encode())
        accepted = await self.api.post("/v1/imports", files={"file": file})
        made: str = accepted.json()["import_id"]
        return made

    async def _post(self, path: str, **body: Any) -> Any:
        answer = await self.api.post(f"/v1/{path}", json=body)
        assert answer.is_success, (path, answer.text)
        return answer.json()

    async def _make(self, path: str, **body: Any) -> str:
        made: str = (await self._post(path, **body))["id"]
        return made


class Walk:
    """One list, page by page."""

    def __init__(self, place: Place, path: str, limit: int, filters: Mapping[str, str]) -> None:
        self._place, self._limit, self._filters = place, limit, filters
        self._path = path.format(**place.ids)
        self._key, self._after = ROWS.get(path, "id"), "since" if path == "/v1/changes" else "cursor"
        self.seen: list[Any] = []
        self._cursor: str | None = None
        self.goes_on = True

    async def known(self) -> list[Any]:
        """Return who is there now."""
        return [row[self._key] for row in (await self._page(limit=200, **self._filters))["data"]]

    async def step(self) -> None:
        """Read one page."""
        page = await self._page(
            limit=self._limit, **self._filters, **({self._after: self._cursor} if self._cursor else {})
        )
        self.seen += [row[self._key] for row in page["data"]]
        self._cursor, self.goes_on = page["next_cursor"], page["has_more"]

    async def _page(self, **asked: Any) -> Any:
        answer = await self._place.api.get(self._path, params=asked)
        assert answer.status_code == 200, (self._path, answer.text)
        page = answer.json()
        if self._after == "cursor":
            assert ('rel="next"' in answer.headers.get("Link", "")) == page["has_more"], self._path
        return page


@settings(max_examples=scaled(1, 60), deadline=None, suppress_health_check=[*HealthCheck], phases=[Phase.generate])
@given(data=st.data())
async def test_every_list_is_walked_whole_while_it_grows(
    app: FastAPI,
    new_tenant: Callable[[], Awaitable[TenantFixture]],
    client_of: Callable[[str], httpx.AsyncClient],
    database: Database,
    data: st.DataObject,
) -> None:
    async def work() -> None:
        await jobs.run_jobs(database)
        await due.run_until_quiet(database)

    place = Place(client_of((await new_tenant()).key), work)
    await place.prepare()
    walks = {path: data.draw(_walk(place, path), path) for path in sorted(_lists(app))}
    known = {path: await walk.known() for path, walk in walks.items()}
    assert {path for path, rows in known.items() if len(rows) < 3} == set()
    for turn in range(1_000):
        on = [walk for walk in walks.values() if walk.goes_on]
        for walk in on:
            await walk.step()
        if turn < ROUNDS:
            await place.grow()
        elif not on:
            break
    await place.rest()
    for path, rows in known.items():
        assert [row for row in walks[path].seen if row in rows] == rows, path


def _walk(place: Place, path: str) -> st.SearchStrategy[Walk]:
    filters = st.sampled_from([{}, FILTERS[path]]) if path in FILTERS else st.just({})
    return st.builds(lambda limit, chosen: Walk(place, path, limit, chosen), st.integers(1, 4), filters)


def _lists(app: FastAPI) -> set[str]:
    """Return the paths of all lists that the document knows."""
    paths: dict[str, Any] = openapi.document(app)["paths"]
    asked = {path: {each["name"] for each in item.get("get", {}).get("parameters", ())} for path, item in paths.items()}
    return {path for path, names in asked.items() if "limit" in names}
