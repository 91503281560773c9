"""The short way to a handler: what it needs is found out once, when its route is made, and not for each request.

What FastAPI says of a wrong parameter or a wrong body stays its own: nothing is called before all are read, and such a
request goes the long way from its beginning. So do handlers that need what is not known here: forms, files, cookies,
generators, tasks in the background.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, Final, cast, get_args, get_origin

from fastapi import Request, Response
from fastapi._compat import ModelField
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import ResponseValidationError
from fastapi.params import Form
from fastapi.routing import APIRoute
from pydantic import BaseModel

Next = Callable[[Request], Coroutine[Any, Any, Response]]
Values = dict[str, Any]
OK: Final = 200
_ATOMS: Final = (type(None), str, int, float)
"""Of these a default can be given to all; of the others each request needs its own."""


class _NotKnownError(Exception):
    """A handler needs what only the long way can give."""


class _WrongError(Exception):
    """A parameter is missing or wrong: the long way says how."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One value of the path, the query or the headers."""

    name: str
    alias: str
    is_list: bool
    is_required: bool
    validate: Callable[..., tuple[Any, list[Any]]]

    def read(self, source: Any, values: Values) -> None:  # noqa: ANN401 (any of Starlette's mappings)
        """Put into `values` what is given; raises _WrongError."""
        given = source.getlist(self.alias) if self.is_list else source.get(self.alias)
        if given is None or given == []:
            if self.is_required:
                raise _WrongError
            return
        values[self.name], wrong = self.validate(given, {}, loc=())
        if wrong:
            raise _WrongError


@dataclass(frozen=True, slots=True)
class _Step:
    """One function that is called, and what it is given: values of the request, and what earlier steps returned."""

    call: Callable[..., Coroutine[Any, Any, Any]]
    defaults: Mapping[str, Any]
    path: list[_Parameter]
    query: list[_Parameter]
    headers: list[_Parameter]
    needs: list[tuple[str, int]]
    request: str | None
    response: str | None
    must_ask: bool
    """Whether a parameter of the query is required."""

    def read(self, request: Request, response: Response) -> Values:
        """Return the values of the request; raises _WrongError."""
        values = {**self.defaults}
        for parameter in self.path:
            parameter.read(request.path_params, values)
        if request.scope["query_string"] or self.must_ask:
            for parameter in self.query:
                parameter.read(request.query_params, values)
        for parameter in self.headers:
            parameter.read(request.headers, values)
        if self.request is not None:
            values[self.request] = request
        if self.response is not None:
            values[self.response] = response
        return values


def shortened(route: APIRoute, handle: Next) -> Next:
    """Return the short way of `route`, or `handle`, which is FastAPI's own, where there is none."""
    shown, body_field, steps = route.response_field, route.body_field, list[_Step]()
    try:
        _plan(route.dependant, steps, {})
    except _NotKnownError:
        return handle
    bodies = [str(each.name) for each in route.dependant.body_params]
    is_form = body_field is not None and isinstance(body_field.field_info, Form)
    is_special = not isinstance(route.response_class, DefaultPlaceholder)
    if shown is None or is_form or is_special or len(bodies) != (body_field is not None):
        return handle

    async def short(request: Request) -> Response:
        told = Response()
        del told.headers["content-length"]
        told.status_code = route.status_code or OK
        try:
            given = [step.read(request, told) for step in steps]
        except _WrongError:
            return await handle(request)
        if body_field is not None:
            given[-1][bodies[0]], wrong = body_field.validate(await request.json(), {}, loc=())
            if wrong:
                return await handle(request)
        if request.app.dependency_overrides:
            return await handle(request)
        result = await _run(steps, given)
        if isinstance(result, Response):
            return result
        value, wrong = shown.validate(result, {}, loc=("response",))
        if wrong:
            raise ResponseValidationError(errors=wrong)
        response = Response(shown.serialize_json(value), told.status_code, media_type="application/json")
        response.headers.raw.extend(told.headers.raw)
        return response

    return short


async def _run(steps: list[_Step], given: list[Values]) -> Any:  # noqa: ANN401 (what the handler returns)
    """Call one after the other, and return what the last one, the handler itself, returns."""
    results: list[Any] = []
    for step, values in zip(steps, given, strict=True):
        for name, place in step.needs:
            values[name] = results[place]
        results.append(await step.call(**values))
    return results[-1]


def _plan(needed: Dependant, steps: list[_Step], known: dict[Any, int]) -> int:
    """Add the step of `needed` behind those of what it needs; return its place. Raises _NotKnownError."""
    if needed.call in known:
        return known[needed.call]
    if not _is_plain(needed) or any(inner.body_params for inner in needed.dependencies):
        raise _NotKnownError
    needs = [(inner.name, _plan(inner, steps, known)) for inner in needed.dependencies]
    path, query, headers = (
        [_parameter(field) for field in fields]
        for fields in (needed.path_params, needed.query_params, needed.header_params)
    )
    fields = (*needed.path_params, *needed.query_params, *needed.header_params)
    steps.append(
        _Step(
            call=cast("Any", needed.call),
            defaults={field.name: _default(field) for field in fields if not field.field_info.is_required()},
            path=path,
            query=query,
            headers=headers,
            needs=[(name, place) for name, place in needs if name is not None],
            request=needed.request_param_name,
            response=needed.response_param_name,
            must_ask=any(parameter.is_required for parameter in query),
        )
    )
    return known.setdefault(needed.call, len(steps) - 1)


def _is_plain(needed: Dependant) -> bool:
    """Whether this is a coroutine function that is called once, with what is known here."""
    special = (
        needed.cookie_params,
        needed.websocket_param_name,
        needed.http_connection_param_name,
        needed.background_tasks_param_name,
        needed.security_scopes_param_name,
        needed.concurrency,
    )
    return iscoroutinefunction(needed.call) and needed.use_cache and not any(special)


def _parameter(field: ModelField) -> _Parameter:
    info = field.field_info
    kinds = (info.annotation, *get_args(info.annotation))
    is_model = any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)
    if is_model or field.validation_alias not in {None, field.alias}:
        raise _NotKnownError
    is_list = any(get_origin(kind) is list for kind in kinds)
    return _Parameter(field.name, field.alias, is_list, info.is_required(), field.validate)


def _default(field: ModelField) -> Any:  # noqa: ANN401 (a default)
    """Return what stands for a parameter that is not given; raises _NotKnownError where each needs its own."""
    default = field.default
    if field.field_info.validate_default or not isinstance(default, _ATOMS):
        raise _NotKnownError
    return default
