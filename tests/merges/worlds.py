"""Two worlds with the same people and the same acts: in one the people are merged for a while, in the other never."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.kit.clock import now
from app.kit.ids import new_id
from tests.merges.conftest import Desk

SIDES = ("left", "right")
PERSON = {"left": "Akira Ito", "right": "Beatrix Kiddo"}


@dataclass(frozen=True)
class Act:
    """Something that is written about one of the two; by an id of theirs, or by an identifier."""

    kind: str
    side: str
    word: int

    @property
    def is_by_id(self) -> bool:
        return self.kind not in {"touch_mail", "touch_external", "upsert", "mail_record"}


@dataclass
class World:
    """One tenant with two people, two pools and two sequences."""

    desk: Desk
    ids: dict[str, str] = field(default_factory=dict)
    mails: dict[str, str] = field(default_factory=dict)
    pools: list[str] = field(default_factory=list)
    sequences: list[str] = field(default_factory=list)

    @classmethod
    async def make(cls, api: httpx.AsyncClient, drain: Callable[[], Awaitable[int]]) -> "World":
        world = cls(Desk(api, drain))
        for side in SIDES:
            world.mails[side] = f"{side}{new_id().hex}@example.com"
            world.ids[side] = await world.desk.person(
                full_name=PERSON[side],
                email_addresses=[{"value": world.mails[side]}],
                external_ids=[{"source": "ats", "id": side}],
            )
        for key in ("tagged", "by-hand"):
            body = {"key": key, "name": key, "criteria": {"field": "tags", "op": "has", "value": f"{key}-1"}}
            world.pools.append((await world.desk.post("/v1/pools", body, 201))["id"])
        for key in ("before", "between"):
            steps = [{"key": "pause", "type": "wait", "for": "P7D"}]
            made = await world.desk.post("/v1/sequences", {"key": key, "name": key, "steps": steps}, 201)
            await world.desk.post(f"/v1/sequences/{made['id']}/activate", None, 200)
            world.sequences.append(made["id"])
        return world

    async def do(self, act: Act, person: str, sequence: int) -> None:
        """Do an act; one by an id is about `person`, whoever that is by now."""
        path = f"/v1/candidates/{person}"
        await getattr(self, f"_{act.kind}")(act, person, path, sequence)

    async def _patch(self, act: Act, _: str, path: str, __: int) -> None:
        await self.desk.ask("PATCH", path, {("headline", "department")[act.word % 2]: f"by hand {act.word}"})

    async def _tag(self, act: Act, _: str, path: str, __: int) -> None:
        await self.desk.ask("PATCH", path, {"tags": {"add": [f"tagged-{act.word % 2}"]}})

    async def _touch(self, act: Act, person: str, _: str, __: int) -> None:
        await self.desk.touch(candidate_id=person, type=("call", "applied", "rejected", "meeting")[act.word % 4])

    async def _touch_mail(self, act: Act, _: str, __: str, ___: int) -> None:
        await self.desk.touch(email=self.mails[act.side], type=("call", "interviewed")[act.word % 2])

    async def _touch_external(self, act: Act, _: str, __: str, ___: int) -> None:
        await self.desk.touch(person={"external_id": {"source": "ats", "id": act.side}})

    async def _upsert(self, act: Act, _: str, __: str, ___: int) -> None:
        said = {("headline", "current_company")[act.word % 2]: f"told {act.word}", "interests": [f"i{act.word}"]}
        await self.desk.ask("PUT", f"/v1/candidates/by-external-id/ats/{act.side}", said, 200)

    async def _mail_record(self, act: Act, _: str, __: str, ___: int) -> None:
        said = {"email_addresses": [{"value": self.mails[act.side]}], "skills": [{"name": f"s{act.word}"}]}
        await self.desk.post("/v1/candidates", said, 200)

    async def _grant(self, act: Act, person: str, _: str, __: int) -> None:
        await self.desk.consent(person, purpose=_purpose(act), obtained_at=now().isoformat())

    async def _withdraw(self, act: Act, person: str, _: str, __: int) -> None:
        await self.desk.consent(person, "withdrawn", purpose=_purpose(act))

    async def _enroll(self, _: Act, person: str, __: str, sequence: int) -> None:
        await self.desk.post(f"/v1/sequences/{self.sequences[sequence]}/enrollments", {"candidate_id": person})

    async def _decide(self, act: Act, person: str, _: str, __: int) -> None:
        path = f"/v1/pools/{self.pools[act.word // 2 % 2]}/members/{person}"
        await self.desk.ask("PUT", path, {"membership": ("include", "exclude")[act.word % 2]})

    async def seen(self, side: str) -> Mapping[str, Any]:
        """Return everything that is known of one side, without what depends on the hour or on the tenant."""
        path = f"/v1/candidates/{self.ids[side]}"
        profile = await self.desk.read(self.ids[side])
        touched = await self.desk.rows(f"{path}/touchpoints")
        records = await self.desk.rows(f"{path}/records")
        return {
            "profile": {name: value for name, value in profile.items() if name not in UNCOMPARED},
            "mails": [each["value"] == self.mails[side] for each in profile["email_addresses"]],
            "touchpoints": sorted(each["type"] for each in touched),
            "records": [(each["source"], each["version"], each["fields"].keys()) for each in records],
            "consents": _standing(await self.desk.rows(f"{path}/consents")),
            "enrollments": [await self._way(place, self.ids[side]) for place in (0, 1)],
            "memberships": [await self._is_member(pool, self.ids[side]) for pool in self.pools],
        }

    async def _way(self, place: int, person: str) -> list[tuple[str, str]]:
        listed = await self.desk.rows(f"/v1/sequences/{self.sequences[place]}/enrollments?candidate_id={person}")
        return [(each["state"], each["step"]) for each in listed]

    async def _is_member(self, pool: str, person: str) -> bool:
        return person in {each["candidate_id"] for each in await self.desk.rows(f"/v1/pools/{pool}/members")}


UNCOMPARED = {
    "id", "version", "created_at", "updated_at", "last_interaction_at", "retention", "can_contact", "email_addresses",
}  # fmt: skip


def _purpose(act: Act) -> str:
    return ("talent_pool", "events")[act.word % 2]


def _standing(consents: list[Any]) -> dict[str, str]:
    """Return how each purpose stands: the newest statement wins, a withdrawal wins a tie."""
    ranked = sorted(consents, key=lambda each: (each["obtained_at"], each["status"] == "withdrawn"))
    return {each["purpose"]: each["status"] for each in ranked}
