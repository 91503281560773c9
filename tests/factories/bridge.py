"""The way from a command in a thread to the service in the test's own loop."""

import asyncio

import httpx


class Bridge(httpx.BaseTransport):
    """Hands what a thread asks to the service in the loop."""

    def __init__(self, api: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._api = api
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        asked = self._api.request(
            request.method, request.url.raw_path.decode(), content=content, headers=request.headers
        )
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result(30)
        shown = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
        return httpx.Response(answer.status_code, headers=shown, content=answer.content)
