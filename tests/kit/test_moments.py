"""Times as they are read and kept."""

import httpx
import pytest
from pydantic import TypeAdapter

from app.kit.schemas import Timestamp

MOMENTS: TypeAdapter[Timestamp] = TypeAdapter(Timestamp)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000001Z"),
        ("0001-01-01T00:00:01Z", "0001-01-01T00:00:01Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999998Z"),
    ],
)
async def test_the_ends_of_the_calendar_are_times_and_no_infinities(
    api: httpx.AsyncClient, written: str, kept: str
) -> None:
    person = (await api.post("/v1/candidates", json={"full_name": "山田 花子"})).json()["id"]
    body = {"candidate_id": person, "type": "call", "occurred_at": written, "source": "test"}
    stored = await api.post("/v1/touchpoints", json=body)
    assert (stored.status_code, stored.json()["occurred_at"]) == (201, kept)
    score = await api.get(f"/v1/candidates/{person}/score")
    assert (score.status_code, score.json()["tier"]) == (200, "cold")
    timeline = await api.get(f"/v1/candidates/{person}/touchpoints")
    assert [each["occurred_at"] for each in timeline.json()["data"]] == [kept]


def test_a_time_that_utc_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="moment"):
        MOMENTS.validate_python("0001-01-01T00:00:00+01:00")
