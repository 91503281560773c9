"""What commands need that ask a running service: its key, and answers or one sentence of what is wrong."""

import os
from pathlib import Path
from typing import Any, Final

import httpx

from app.kit.process import StartError

KEY_FILE: Final = "api-key"


def api_key(data_dir: Path) -> str:
    """Return the key of $TALENTPOOL_API_KEY, else the one that the service wrote into its data folder."""
    given = os.environ.get("TALENTPOOL_API_KEY")
    if given:
        return given.strip()
    try:
        return (data_dir / KEY_FILE).read_text().strip()
    except OSError as error:
        raise StartError(
            f"There is no key in {data_dir / KEY_FILE}: start the service, or set TALENTPOOL_API_KEY."
        ) from error


def ask(service: httpx.Client, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return the JSON that the service answers; raises StartError for anything but a success."""
    try:
        answer = service.request(method, path, **options)
    except httpx.TransportError as error:
        raise StartError(f"Nothing answers at {service.base_url}: is the service running?") from error
    if answer.is_success:
        return answer.json()
    raise StartError(_detail(answer))


def _detail(answer: httpx.Response) -> str:
    """Return the problem's sentence, or the status of what is no answer of ours."""
    if "problem+json" in answer.headers.get("Content-Type", ""):
        return str(answer.json()["detail"])
    return f"The service answered {answer.status_code}."
