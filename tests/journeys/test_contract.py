"""The whole document against the running service, by a tool that knows nothing but the document. Needs PyPI."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.journeys.service import Service

pytestmark = [pytest.mark.prove, pytest.mark.timeout(600)]
TOOL: Final = "schemathesis==4.29.4"  # the newest whose own reading of answers does not fail on the way
SECONDS: Final = int(os.environ.get("TALENTPOOL_CONTRACT_S", "300"))
CANARY: Final = "canary-5f1c7d"
CHECKS: Final = "not_a_server_error,status_code_conformance,no_value_in_errors"
HOOKS: Final = f"""
import schemathesis

CANARY = "{CANARY}"


@schemathesis.check
def no_value_in_errors(ctx, response, case):
    if response.status_code >= 400:
        assert CANARY not in response.text, "an error holds what somebody has said"


@schemathesis.hook
def map_body(ctx, body):
    if isinstance(body, dict) and body and len(str(body)) % 3 == 0:
        return {{**body, sorted(body, key=str)[len(str(body)) % len(body)]: CANARY}}
    return body
"""
"""Every third body says the canary somewhere; no answer that is an error may say it again."""


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool in an environment of its own: what it stands on is not what the service stands on."""
    folder = tmp_path_factory.mktemp("contract")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    subprocess.run([folder / "venv" / "bin" / "pip", "install", "--quiet", TOOL], check=True)
    (folder / "canary_hooks.py").write_text(HOOKS)
    return folder


def _plant(service: Service) -> None:
    """Have the service keep the canary wherever a person could be."""
    person = {
        "full_name": CANARY,
        "email_addresses": [{"value": f"{CANARY}@example.com"}],
        "external_ids": [{"source": CANARY, "id": CANARY}],
        "tags": [CANARY],
        "headline": CANARY,
    }
    with httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {service.key}"}, timeout=30) as client:
        for path, body in (
            ("/v1/candidates", person),
            ("/v1/pools", {"key": CANARY, "name": CANARY, "criteria": {"all": []}}),
            ("/v1/positions", {"name": CANARY, "criteria": {"all": []}}),
        ):
            assert client.post(path, json=body).status_code == 201


def test_no_operation_fails_or_answers_what_is_not_documented(start: Callable[..., Service], tool: Path) -> None:
    service = start(TALENTPOOL_RATE_LIMIT="0")
    _plant(service)
    # With two workers `ast.parse` of Python 3.11 stumbles over its own threads (a recursion depth they share).
    done = subprocess.run(
        [
            *(tool / "venv" / "bin" / "st", "run", f"{service.url}/v1/openapi.json"),
            *("--header", f"Authorization: Bearer {service.key}", "--header", f"Act-As-User: {CANARY}"),
            *("--checks", CHECKS, "--max-time", str(SECONDS), "--request-timeout", "20", "--continue-on-failure"),
            *("--exclude-path-regex", "/stream$", "--no-shrink", "--suppress-health-check", "all"),
        ],
        cwd=tool,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "canary_hooks", "PYTHONPATH": str(tool)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
