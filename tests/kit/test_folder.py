import os
import stat
from pathlib import Path

import pytest

from app.kit.folder import held, write_private
from app.kit.process import StartError


def _hold(folder: Path) -> None:
    with held(folder):
        pass


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with held(folder), pytest.raises(StartError, match=rf"\(process {os.getpid()}\) already runs on"):
        _hold(folder)
    _hold(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StartError, match="is not a folder"):
        _hold(tmp_path / "data")
    with pytest.raises(StartError, match="cannot be made"):
        _hold(tmp_path / "data" / "below")


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "api-key"
    path.write_text("before, and open to all")
    write_private(path, "after")
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
