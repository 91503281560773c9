"""The short way to a handler that takes no more than the session, the answer's headers and one body.

FastAPI finds out for each request what a handler needs; of these it is known when the route is made. What it says of a
wrong body stays its own: such a request goes the long way.
"""

from collections.abc import Callable, Container, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute

from app.kit.answer import Answer, answer

Next = Callable[[Request], Coroutine[Any, Any, Response]]
OK: Final = 200


def shortened(route: APIRoute, handle: Next, session_of: Callable[[Request], Any]) -> Next:
    """Return the short way of `route`, or `handle`, which is FastAPI's own, where there is none.

    `session_of` is the dependency that stands for the session.
    """
    body_field, shown = route.body_field, route.response_field
    plain = _is_plain(route.dependant, {session_of, answer})
    if body_field is None or shown is None or not plain or isinstance(body_field.field_info, Form):
        return handle
    body_name = route.dependant.body_params[0].name
    needs = [(str(each.name), each.call) for each in route.dependant.dependencies]

    async def short(request: Request) -> Response:
        body, wrong = body_field.validate(await request.json(), {}, loc=("body",))
        if body is None or wrong:
            return await handle(request)
        told = Response()
        del told.headers["content-length"]
        told.status_code = route.status_code or OK
        given = {name: _conditions(request, told) if need is answer else request.state.session for name, need in needs}
        result = await route.endpoint(**given, **{body_name: body})
        if isinstance(result, Response):
            return result
        response = Response(shown.serialize_json(result), told.status_code, media_type="application/json")
        response.headers.raw.extend(told.headers.raw)
        return response

    return short


def _is_plain(needs: Dependant, known: Container[object]) -> bool:
    """Whether a handler takes one body, and else only what is known here."""
    parameters = (*needs.path_params, *needs.query_params, *needs.header_params, *needs.cookie_params)
    special = (needs.request_param_name, needs.response_param_name, needs.background_tasks_param_name)
    return (
        all(each.call in known for each in needs.dependencies)
        and not parameters
        and not any(special)
        and len(needs.body_params) == 1
    )


def _conditions(request: Request, told: Response) -> Answer:
    if_none_match = request.headers.get("If-None-Match") if request.method == "GET" else None
    return Answer(told, request.headers.get("If-Match"), if_none_match)
