import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.kit.embedded import PostgresServer, ValkeyServer, running_database_url, start_postgres, start_valkey
from app.kit.process import StartError


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    server = start_postgres(tmp_path / "postgres", durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = start_valkey(tmp_path / "valkey")
    yield server
    server.stop()


async def _value(server: PostgresServer, sql: str) -> object:
    connection = await asyncpg.connect(server.dsn, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_keeps_its_data_when_it_is_killed_and_started_again(tmp_path: Path) -> None:
    killed = start_postgres(tmp_path / "postgres", durable=True)
    await _value(killed, "CREATE TABLE kept AS SELECT '髙橋' AS name")
    os.kill(killed.pid, signal.SIGKILL)
    again = start_postgres(tmp_path / "postgres", durable=True)
    try:
        assert again.pid != killed.pid
        assert again.dsn == killed.dsn
        assert await _value(again, "SELECT name FROM kept") == "髙橋"
        assert await _value(again, "SHOW fsync") == "on"
    finally:
        again.stop()
        killed.stop()


async def test_is_a_postgres_18_for_any_language_behind_a_private_socket(postgres: PostgresServer) -> None:
    version = await _value(postgres, "SHOW server_version_num")
    assert str(version).startswith("18")
    assert await _value(postgres, "SELECT lower('ÄÉ')") == "äé"
    assert await _value(postgres, "SHOW listen_addresses") == ""
    assert await _value(postgres, "SHOW fsync") == "off"
    assert stat.S_IMODE((postgres.socket_dir / ".s.PGSQL.5432").stat().st_mode) == 0o700
    assert psutil.Process(postgres.pid).uids().real != 0


async def test_makes_a_database_once(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.ensure_database("talentpool")
    postgres.ensure_database("talentpool")
    assert await _value(postgres, "SELECT count(*) FROM pg_database WHERE datname = 'talentpool'") == 1
    url = running_database_url(tmp_path / "postgres", "talentpool")
    assert url == postgres.database_url("talentpool")


def test_nothing_runs_after_a_stop(tmp_path: Path) -> None:
    server = start_postgres(tmp_path / "postgres", durable=False)
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    server.stop()
    server.stop()
    assert not [process for process in family if process.is_running()]
    with pytest.raises(StartError, match="Nothing runs on"):
        running_database_url(tmp_path / "postgres", "talentpool")


async def test_a_path_too_long_for_a_socket_gets_a_private_one(tmp_path: Path) -> None:
    server = start_postgres(tmp_path / ("long" * 30) / "post gres", durable=False)
    try:
        assert len(str(server.socket_dir)) < 60
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert await _value(server, "SELECT 1") == 1
    finally:
        server.stop()
        server.socket_dir.rmdir()


def _a_file(folder: Path) -> None:
    folder.write_text("")


def _something_else(folder: Path) -> None:
    folder.mkdir()
    (folder / "holiday.jpg").write_text("")


def _an_old_version(folder: Path) -> None:
    folder.mkdir()
    (folder / "PG_VERSION").write_text("15\n")


def _an_unreadable_version(folder: Path) -> None:
    folder.mkdir()
    (folder / "PG_VERSION").write_bytes(b"\x00\xff")


def _a_gutted_cluster(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "PG_VERSION").write_text("18\n")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_a_file, "is not a folder"),
        (_something_else, "holds something else than a PostgreSQL database"),
        (_an_old_version, r"holds a database of PostgreSQL 15, and this program needs 18\.$"),
        (_an_unreadable_version, "unreadable PG_VERSION"),
        (_a_gutted_cluster, "PostgreSQL does not start: "),
    ],
)
def test_a_broken_folder_is_one_sentence(tmp_path: Path, spoil: object, sentence: str) -> None:
    assert callable(spoil)
    spoil(tmp_path / "postgres")
    with pytest.raises(StartError, match=sentence) as raised:
        start_postgres(tmp_path / "postgres", durable=False)
    assert "\n" not in str(raised.value)


def test_valkey_comes_back_on_the_same_address_and_writes_nothing(valkey: ValkeyServer, tmp_path: Path) -> None:
    os.kill(valkey.pid, signal.SIGKILL)
    again = start_valkey(tmp_path / "valkey")
    again.stop()
    assert again.url == valkey.url
    assert [path.name for path in (tmp_path / "valkey").iterdir() if path.suffix != ".sock"] == []
