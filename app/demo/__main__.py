"""`python -m app.demo`: fills the tenant of the given key; `talentpool dev` runs it once the API is ready."""

import os
import sys

import httpx

from app.demo.load import is_loaded, load
from app.kit.clock import today


def main() -> None:
    """Load the demo unless it is there; a failure is one sentence and exit code 1."""
    url, key = os.environ.get("TALENTPOOL_URL"), os.environ.get("TALENTPOOL_API_KEY")
    if not url or not key:
        sys.exit("TALENTPOOL_URL and TALENTPOOL_API_KEY say where the demo goes.")
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            if not is_loaded(client):
                load(client, today("Asia/Tokyo"), mail="SMTP_URL" not in os.environ)
    except httpx.HTTPStatusError as error:
        sys.exit(f"The demo could not be loaded: {error.request.url.path} answered {error.response.status_code}.")
    except httpx.HTTPError as error:
        sys.exit(f"The demo could not be loaded: {type(error).__name__}.")


if __name__ == "__main__":
    main()
