"""One hook as a test sees it: its owner's key, and a sender that knows its address only."""

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.connectors import sendgrid
from app.kit import json
from app.kit.ids import new_id

FIXTURES = Path(__file__).parents[1] / "fixtures" / "webhooks" / "sendgrid"
VECTORS: list[dict[str, Any]] = json.loads((FIXTURES / "signature_vectors.json").read_bytes())
BATCH = next(each for each in VECTORS if each["name"].startswith("sendgrid-test-integration"))
AGES_S = 3_000_000_000
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def secret_of(key: ec.EllipticCurvePrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(raw: bytes, key: ec.EllipticCurvePrivateKey = KEY, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = b64encode(key.sign(stamp.encode() + raw, ec.ECDSA(SHA256()))).decode()
    return {sendgrid.SIGNATURE_HEADER: signature, sendgrid.TIMESTAMP_HEADER: stamp}


def event(kind: str = "open", **members: Any) -> dict[str, Any]:
    known = {"event": kind, "email": "hanako@example.com", "timestamp": int(time.time()), "sg_event_id": str(new_id())}
    return known | members


@dataclass
class Hook:
    """One connection of the test's tenant, and a sender that knows its address only."""

    api: httpx.AsyncClient
    sender: httpx.AsyncClient
    id: str

    async def post(self, raw: bytes, headers: dict[str, str] | None = None, query: str = "") -> httpx.Response:
        given_headers = signed(raw) if headers is None else headers
        return await self.sender.post(f"/v1/hooks/{self.id}{query}", content=raw, headers=given_headers)

    async def tell(self, *events: Any, **named: Any) -> int:
        return (await self.post(json.dumpb(list(events)), **named)).status_code

    async def counts(self) -> dict[str, int]:
        found: dict[str, int] = (await self.api.get(f"/v1/connections/{self.id}")).json()["counts"]
        return found

    async def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        page = await self.api.get(f"/v1/connections/{self.id}/deliveries{query}")
        assert page.status_code == 200, page.text
        return cast("list[dict[str, Any]]", page.json()["data"])

    async def touchpoints(self) -> list[dict[str, Any]]:
        page = await self.api.get(f"/v1/touchpoints?source=sendgrid:{self.id}")
        assert page.status_code == 200, page.text
        return cast("list[dict[str, Any]]", page.json()["data"])


Connect = Callable[..., Awaitable[Hook]]
