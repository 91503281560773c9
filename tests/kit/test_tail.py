from pathlib import Path

from app.kit.tail import Tail


def test_only_what_an_operator_must_see_is_let_through(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text('{"event": "before", "level": "error"}\n')
    tail = Tail(log)
    with log.open("a") as file:
        file.write('{"event": "request", "level": "info", "status": 200}\n')
        file.write(
            '{"event": "slow", "level": "warning", "timestamp": "2026-01-01T00:00:00Z", "where": ["a"], "ms": 900}\n'
        )
        file.write("Traceback (most recent call last):\n42\n")
        file.write('{"event": "half a line"')
    assert list(tail.warnings()) == ["warning: slow ms=900", "Traceback (most recent call last):", "42"]
    with log.open("a") as file:
        file.write(', "level": "error"}\n')
    assert list(tail.warnings()) == ["error: half a line"]
    assert list(tail.warnings()) == []


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("wb") as file:
        file.truncate(11_000_000)
    assert list(Tail(log).warnings()) == []
    assert log.stat().st_size == 0
    assert (tmp_path / "api.log.1").stat().st_size == 11_000_000
