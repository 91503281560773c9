"""Captures of a provider, and what a golden file says that each of them means."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.connectors.signals import Parsed
from app.kit import json

FIXTURES = Path(__file__).parents[1] / "fixtures" / "webhooks"


def captures(provider: str) -> list[Path]:
    """Return the captures of a provider, by name."""
    notes = {"expected.json", "signature_vectors.json"}
    return sorted(path for path in (FIXTURES / provider).glob("*.json") if path.name not in notes)


def expected(provider: str) -> dict[str, Any]:
    """Return what each capture means, by file name."""
    found: dict[str, Any] = json.loads((FIXTURES / provider / "expected.json").read_bytes())
    return found


def meaning(parsed: Parsed) -> dict[str, Any]:
    """Return what was read, as JSON without what is empty."""
    told = [_present(asdict(signal) | {"evidence": _present(asdict(signal.evidence))}) for signal in parsed.signals]
    found = {"signals": told, "ignored": parsed.ignored, "unreadable": parsed.unreadable, "fetch": parsed.fetch}
    plain: dict[str, Any] = json.loads(json.dumpb(_present(found)))
    return plain


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
