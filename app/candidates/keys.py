"""Keyed hashes of what points at a person: what is compared and kept where the value itself must not be."""

from uuid import UUID

from app.kit import crypto

_SEPARATOR = "\x1f"


def identifier_hash(tenant_id: UUID, kind: str, key: str) -> bytes:
    """Return the keyed hash (32 bytes) under which a match key of app.normalise is stored in `identifiers`."""
    return crypto.keyed_hash("identifier", str(tenant_id), f"{kind}{_SEPARATOR}{key}")


def external_key(source: str, external_id: str) -> str:
    """Return the key of an external id, for `identifier_hash(tenant, "external_id", …)`."""
    return f"{source}{_SEPARATOR}{external_id}"
