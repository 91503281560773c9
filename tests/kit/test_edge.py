"""What leaves the service when something in it is broken."""

import httpx
from fastapi import FastAPI

from app.kit import edge


async def test_a_bug_is_a_problem_that_the_log_can_be_searched_for() -> None:
    app = FastAPI()
    edge.install(app)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        answer = await client.get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers.get_list("X-Request-Id") == [answer.json()["request_id"]]
