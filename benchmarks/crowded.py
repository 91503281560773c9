"""A pool of any size as the doors would have left it for matching: people made up by the trainer, filed by the product.

Normalising costs most, so it is done by two processes; rows come in by COPY, without the indexes, which are made after.
"""

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

import asyncpg

from app.candidates.features import dump_features, read_features
from app.dedup.matching import Filed
from app.dedup.pool import keyed
from app.dedup.repository import FEATURES
from app.kit import crypto, json
from app.kit.chunks import chunks
from app.kit.clock import now
from app.kit.ids import new_id
from app.training.statements import records

PROCESSES: Final = 2
BATCH: Final = 5_000
TABLES: Final = ("candidates", "records", "match_features", "record_keys")
JSON: Final = frozenset({"name"})
FEATURE_COLUMNS: Final = ("tenant_id", *FEATURES)
PREPARED: Final = """
set synchronous_commit = off; set maintenance_work_mem = '1GB'; set statement_timeout = 0;
set session_replication_role = replica
"""


async def load(database_url: str, tenant_id: UUID, many: int, seed: int = 1) -> None:
    """Fill the tenant with so many records, each a candidate of its own; about a quarter are of somebody else's.

    Whom a record is about stands in its column `by`.
    """
    connection = await asyncpg.connect(database_url)
    await connection.execute(PREPARED)
    indexes = await connection.fetch(
        """select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
           where indrelid = any($1::regclass[]) and not indisunique""",
        list(TABLES),
    )
    for index in indexes:
        await connection.execute(f"drop index {index['name']}")
    parts = [(database_url, tenant_id, many // PROCESSES, seed * PROCESSES + part) for part in range(PROCESSES)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        await asyncio.to_thread(pool.starmap, _load_part, parts)
    for index in indexes:
        await connection.execute(index["definition"])
    for table in TABLES:
        await connection.execute(f"analyze {table}")
    await connection.close()


def _load_part(database_url: str, tenant_id: UUID, many: int, seed: int) -> None:
    asyncio.run(_copy(database_url, tenant_id, many, seed))


async def _copy(database_url: str, tenant_id: UUID, many: int, seed: int) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(PREPARED)
    filed = _filed(tenant_id, many, seed)
    while batch := list(islice(filed, BATCH)):
        await _write(connection, tenant_id, batch)
    await connection.close()


def _filed(tenant_id: UUID, many: int, seed: int) -> Iterator[tuple[str, Filed]]:
    """Yield whom each record is about, and what is filed of it."""
    secret = crypto.derive("record-keys", str(tenant_id))
    for record in records(many, seed):
        record_id = new_id()
        statement = keyed(read_features(record.payload, "JP"), secret, record_id)
        yield f"{seed}.{record.person}", Filed(record_id, record_id, statement, record.payload)


async def _write(connection: asyncpg.Connection, tenant_id: UUID, told: Sequence[tuple[str, Filed]]) -> None:
    at, filed = now(), [each for _, each in told]
    await _into(
        connection,
        "candidates",
        ("tenant_id", "id", "full_name", "retention_basis", "created_at", "updated_at"),
        [(tenant_id, each.candidate_id, each.payload.get("full_name"), "consent", at, at) for each in filed],
    )
    await _into(
        connection,
        "records",
        ("tenant_id", "id", "candidate_id", "first_candidate_id", "record_version", "door", "payload", "features",
         "normaliser_version", "by", "received_at", "is_current"),
        [
            (tenant_id, each.record_id, each.candidate_id, each.candidate_id, 1, "api", json.dumps(dict(each.payload)),
             json.dumps(dump_features(each.statement.features)), 1, person, at, True)
            for person, each in told
        ],
    )  # fmt: skip
    features = [each.feature_row(set()) for each in filed]
    await _into(
        connection,
        "match_features",
        FEATURE_COLUMNS,
        [(tenant_id, *(_stored(row, column) for column in FEATURES)) for row in features],
    )
    keys = {(key, record): (owner, kind) for each in filed for key, record, owner, kind in each.key_rows()}
    await _into(
        connection,
        "record_keys",
        ("tenant_id", "key_hash", "record_id", "candidate_id", "kind"),
        [(tenant_id, bytes.fromhex(key), record, *rest) for (key, record), rest in keys.items()],
    )


def _stored(row: dict[str, Any], column: str) -> Any:
    value = row.get(column)
    return json.dumps(value) if column in JSON and value is not None else value


async def _into(
    connection: asyncpg.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    for chunk in chunks(rows, 50_000):
        await connection.copy_records_to_table(table, columns=columns, records=chunk)
