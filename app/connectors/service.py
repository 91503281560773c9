"""Connections, and what may be done with what comes through them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID

from pydantic import ValidationError

from app.candidates.profile import merge_patch
from app.connectors import keyring, repository
from app.connectors.errors import (
    ConnectionNotFound,
    DeliveryNotFound,
    NotRedrivable,
    SecretInvalid,
    SettingsInvalid,
    UnknownProvider,
)
from app.connectors.models import Connection
from app.connectors.providers import PROVIDERS
from app.connectors.reception import FETCH_DUE, hook_url, process
from app.connectors.repository import ConnectionRepository
from app.connectors.schemas import (
    ConnectionCreate,
    ConnectionRead,
    ConnectionUpdate,
    Counts,
    DeliveryRead,
    Preview,
    PreviewBody,
    ProviderRead,
    SecretRotate,
    SignalPreview,
    Status,
)
from app.connectors.signals import Kept
from app.connectors.translation import source_of, touchpoints
from app.kit import json, outbox
from app.kit.clock import now
from app.kit.db import Session
from app.kit.edge import field_error
from app.kit.outbox import Wake
from app.kit.paging import TOTAL_MAX, Paging
from app.kit.schemas import Page

RAW_KEPT: Final = timedelta(days=30)
EMPTIED_AT_ONCE: Final = 1_000
RAW_DUE: Final = "delivery_raw"
POLL_DUE: Final = "poll"


def providers() -> Page[ProviderRead]:
    """Return the providers that a connection can be made to."""
    listed = [
        ProviderRead(
            key=provider.key,
            name=provider.name,
            kind=provider.kind,
            settings_schema=provider.settings.model_json_schema(),
            secret_hint=provider.secret_hint,
            event_types=list(provider.event_types),
        )
        for provider in PROVIDERS.values()
    ]
    return Page[ProviderRead](data=listed, next_cursor=None, has_more=False)


async def create(session: Session, body: ConnectionCreate) -> ConnectionRead:
    """Make a connection; raises UnknownProvider, SettingsInvalid, SecretInvalid."""
    if body.provider not in PROVIDERS:
        raise UnknownProvider
    settings = _settings(body.provider, body.settings)
    secret = _secret_in(body.provider, settings) or body.secret
    _accept(body.provider, secret)
    connection = Connection(
        provider=body.provider,
        name=body.name,
        settings=settings,
        enabled=body.enabled,
        secrets_enc=keyring.none(session.tenant_id) if secret is None else keyring.first(session.tenant_id, secret),
    )
    await ConnectionRepository(session).add(connection)
    await outbox.schedule(session, Wake(RAW_DUE, connection.id, now() + RAW_KEPT))
    await _poll(session, connection)
    return _read(connection, {})


async def find(session: Session, connection_id: UUID, *, lock: bool = False) -> Connection:
    """Return a connection; raises ConnectionNotFound."""
    found = await ConnectionRepository(session).get(connection_id, lock=lock)
    if found is None:
        raise ConnectionNotFound
    return found


async def read(session: Session, connection: Connection) -> ConnectionRead:
    """Return a connection with its counts."""
    return _read(connection, await repository.counts(session, [connection.id]))


async def list_connections(session: Session, paging: Paging) -> Page[ConnectionRead]:
    """Return the connections, the newest first."""
    after = paging.after("connections")
    rows = await ConnectionRepository(session).page(UUID(after[0]) if after else None, paging.limit + 1)
    counts = await repository.counts(session, [row.id for row in rows])
    total = await repository.count_connections(session, TOTAL_MAX + 1) if paging.include_total else None
    return paging.page(rows, lambda row: _read(row, counts), lambda row: [row.id], "connections", total=total)


async def update(session: Session, connection: Connection, patch: ConnectionUpdate) -> ConnectionRead:
    """Change what `patch` holds; raises SettingsInvalid, SecretInvalid."""
    changes = {name: value for name in ("name", "enabled") if (value := getattr(patch, name)) is not None}
    if patch.settings is not None:
        settings = _settings(connection.provider, merge_patch(connection.settings, patch.settings))
        if (secret := _secret_in(connection.provider, settings)) is not None:
            _accept(connection.provider, secret)
            changes["secrets_enc"] = keyring.first(session.tenant_id, secret)
        changes["settings"] = settings
    if any(getattr(connection, name) != value for name, value in changes.items()):
        for name, value in changes.items():
            setattr(connection, name, value)
        await _save(session, connection)
        await _poll(session, connection)
        await outbox.schedule(session, Wake(FETCH_DUE, connection.id))
    return await read(session, connection)


async def rotate(session: Session, connection: Connection, body: SecretRotate) -> ConnectionRead:
    """Take a new secret; the one before lives on for the overlap. Raises SecretInvalid."""
    _accept(connection.provider, body.secret)
    until = now() + timedelta(seconds=body.overlap_s)
    connection.secrets_enc = keyring.rotated(session.tenant_id, connection.secrets_enc, body.secret, now(), until)
    await _save(session, connection)
    return await read(session, connection)


async def remove(session: Session, connection: Connection) -> None:
    """End a connection: its secrets are forgotten, its deliveries still say where touchpoints came from."""
    connection.removed_at = now()
    connection.settings = {}
    connection.secrets_enc = keyring.none(session.tenant_id)
    await _save(session, connection)


def preview(connection: Connection, body: PreviewBody) -> Preview:
    """Return what a body would become; nothing is written."""
    raw = body.body.encode() if isinstance(body.body, str) else json.dumpb(body.body)
    parsed = PROVIDERS[connection.provider].hook.parse({}, raw, connection.settings)
    named, unfit = touchpoints(parsed.signals, source_of(connection.provider, connection.id))
    return Preview(
        touchpoints=[SignalPreview.model_validate(first.model_dump()) for first, *_ in named],
        ignored=parsed.ignored,
        unreadable=parsed.unreadable + unfit,
    )


async def list_deliveries(
    session: Session, connection: Connection, asked: Sequence[Status], paging: Paging
) -> Page[DeliveryRead]:
    """Return what came and what became of it, the newest first; of refusals the last 1,000."""
    statuses = sorted(set(asked or get_args(Status)))
    bound = ("deliveries", connection.id, statuses)
    after = paging.after(*bound)
    rows = await repository.deliveries(
        session, connection.id, statuses, UUID(after[0]) if after else None, paging.limit + 1
    )
    total = None
    if paging.include_total:
        total = await repository.count_deliveries(session, connection.id, statuses, TOTAL_MAX + 1)
    return paging.page(rows, DeliveryRead.model_validate, lambda row: [row.id], *bound, total=total)


async def redrive(session: Session, connection: Connection, delivery_id: UUID) -> DeliveryRead:
    """Read a delivery again; what it said before is not said twice. Raises DeliveryNotFound, NotRedrivable."""
    row = await repository.delivery(session, connection.id, delivery_id, lock=True)
    if row is None and not await repository.refusal(session, connection.id, delivery_id):
        raise DeliveryNotFound
    if row is None or row.raw is None:
        raise NotRedrivable
    await process(session, connection, Kept(row.id, row.raw, row.headers, row.attempts + 1, row.status))
    return DeliveryRead.model_validate(await repository.delivery(session, connection.id, delivery_id))


async def empty_raw(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Forget bodies of more than 30 days; return when each connection's next one is as old."""
    await repository.empty_before(session, ids, now() - RAW_KEPT, EMPTIED_AT_ONCE)
    return {row.id: (row.received_at or now()) + RAW_KEPT for row in await repository.oldest_bodies(session, ids)}


def _accept(provider: str, secret: str | None) -> None:
    accepts = PROVIDERS[provider].accepts_secret
    if not (secret is None if accepts is None else secret is not None and accepts(secret)):
        raise SecretInvalid


def _settings(provider: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in the provider's shape, without nulls; raises SettingsInvalid."""
    known = {name: value for name, value in given.items() if value is not None}
    try:
        return PROVIDERS[provider].settings.model_validate(known).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        wrong = [field_error({**item, "loc": ("body", "settings", *item["loc"])}) for item in error.errors()]
        raise SettingsInvalid(errors=wrong) from error


def _secret_in(provider: str, settings: dict[str, Any]) -> str | None:
    """Take the secret out of the settings, where a provider has it there."""
    name = PROVIDERS[provider].secret_setting
    return None if name is None else settings.pop(name, None)


async def _poll(session: Session, connection: Connection) -> None:
    """Ask a provider that calls nobody, at once."""
    if PROVIDERS[connection.provider].kind == "poll":
        await outbox.schedule(session, Wake(POLL_DUE, connection.id))


async def _save(session: Session, connection: Connection) -> None:
    connection.touch()
    await ConnectionRepository(session).save()


def _read(connection: Connection, counts: Mapping[UUID, Mapping[str, int]]) -> ConnectionRead:
    return ConnectionRead(
        id=connection.id,
        version=connection.version,
        provider=connection.provider,
        name=connection.name,
        settings=connection.settings,
        hook_url=hook_url(connection.id),
        enabled=connection.enabled,
        created_at=connection.created_at,
        updated_at=connection.updated_at,
        counts=Counts(**counts.get(connection.id, {})),
    )
