"""The committed document under the tools of its users: two linters, a generated client that compiles. Needs Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

from app.openapi import FILE

pytestmark = [pytest.mark.prove, pytest.mark.timeout(600)]
PACKAGES = (
    "@redocly/cli@2.77.0",
    "@stoplight/spectral-cli@6.16.3",
    "openapi-typescript@7.13.0",
    "typescript@5.9.3",
)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tools installed; without npm this fails by name."""
    npm = shutil.which("npm")
    assert npm, "npm is missing: install Node.js 20 or newer"
    folder = tmp_path_factory.mktemp("tools")
    (folder / "package.json").write_text('{"private": true}')
    subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund", *PACKAGES], cwd=folder, check=True)
    (folder / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    return folder


def _complaints(tools: Path, tool: str, *arguments: str) -> str:
    """Return what a tool says when it fails, and nothing when it does not."""
    done = subprocess.run(
        [tools / "node_modules" / ".bin" / tool, *arguments], cwd=tools, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_redocly_finds_no_error(tools: Path) -> None:
    assert _complaints(tools, "redocly", "lint", "--extends", "recommended", str(FILE)) == ""


def test_spectral_finds_no_error(tools: Path) -> None:
    arguments = ("--ruleset", ".spectral.yaml", "--fail-severity", "error", str(FILE))
    assert _complaints(tools, "spectral", "lint", *arguments) == ""


def test_a_generated_client_compiles(tools: Path) -> None:
    assert _complaints(tools, "openapi-typescript", str(FILE), "--output", "client.ts") == ""
    assert _complaints(tools, "tsc", "--noEmit", "--strict", "client.ts") == ""
