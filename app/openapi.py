"""The document of the HTTP contract: exported from the routes, normalised, committed, and checked for drift."""

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app import examples
from app.kit import errors, json
from app.kit.errors import AppError

FILE: Final = Path(__file__).parents[1] / "openapi" / "openapi.json"
DOCS: Final = Path(__file__).parent / "kit" / "docs"
VERSION: Final = "1.0.0"
PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
ITSELF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {"example": {"openapi": "3.1.0", "info": {}, "paths": {}}}}}
}
TAGS: Final = {
    "candidates": "People, and what is known of them.",
    "dedup": "Who is who: checks, pairs, merges.",
    "touchpoints": "What happened between company and person.",
    "connectors": "Webhooks of e-mail and event tools.",
    "scores": "How interested and how fitting a candidate is now.",
    "pools": "Named groups with requirements, and whom to contact now.",
    "consents": "Permission: the ledger, suppressions, contact decisions.",
    "sequences": "Templates, contents, sequences, enrollments, messages.",
    "imports": "Files of people, as a transaction.",
    "changes": "The gap-free feed of what happened.",
    "privacy": "Retention, access, erasure.",
    "jobs": "Long work and its progress.",
    "pages": "What a candidate opens from a mail.",
    "admin": "Tenant, API keys, limits.",
    "health": "Whether the service is alive and ready, and what it can be asked.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of `app`, normalised."""
    raw = get_openapi(
        title="talentpool",
        version=VERSION,
        openapi_version="3.1.0",
        summary="Remembers everybody who has ever met a company, and says whom to talk to today.",
        description="Names, shapes and status codes are a contract. Errors are `application/problem+json`.",
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        servers=[{"url": "/", "description": "This server"}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    raw.setdefault("components", {})["securitySchemes"] = {
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "`tp_live_…`; the scopes are listed per operation.",
        }
    }
    for path in raw["paths"].values():
        for method, operation in path.items():
            _normalise(operation)
            _declare(method, operation)
    schemas = raw["components"].get("schemas", {})
    _show_pages(schemas)
    examples.complete(schemas)
    for path in raw["paths"].values():
        for operation in path.values():
            _show_choices(operation, schemas)
    return raw


def _show_choices(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give a body that may be one of several things the example of each of them."""
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        media = body.get("content", {}).get("application/json", {})
        names = [each.get("$ref", "").rsplit("/", 1)[-1] for each in media.get("schema", {}).get("anyOf", [])]
        shown = {name: {"value": schemas[name]["example"]} for name in names if "example" in schemas.get(name, {})}
        if shown and "example" not in media:
            media.setdefault("examples", shown)


def _show_pages(schemas: dict[str, Any]) -> None:
    """Give every page the example of its rows."""
    for schema in schemas.values():
        row = schema.get("properties", {}).get("data", {}).get("items", {}).get("$ref", "")
        example = schemas.get(row.rsplit("/", 1)[-1], {}).get("example")
        if example is not None and "example" not in schema:
            schema["example"] = {"data": [example], "next_cursor": None, "has_more": False}


def _normalise(operation: dict[str, Any]) -> None:
    operation.pop("x-edge", None)
    needed = [scope for item in operation.get("security", []) for scope in item.get("apiKey", [])]
    operation["security"] = [{"apiKey": []}] if operation.get("security") else []
    if needed:
        operation["x-scope"] = needed[0]
    for status, response in operation.get("responses", {}).items():
        content = response.get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if schema.get("$ref", "").endswith(("/Problem", "/HTTPValidationError")):
            response["content"] = PROBLEM
            response.setdefault("description", status)


def _declare(method: str, operation: dict[str, Any]) -> None:
    """Add what the edge itself may answer, whichever operation is asked."""
    asked = {(each["in"], each["name"].lower()) for each in operation.get("parameters", [])}
    if method == "get" and ("header", "if-none-match") in asked:
        operation["responses"].setdefault("304", {"description": "Not Modified"})
    if "pages" in operation["tags"] and not operation["security"]:
        return
    reasons: dict[type[AppError], bool] = {
        errors.Malformed: "requestBody" in operation,
        errors.TooLarge: "requestBody" in operation,
        errors.UnsupportedMediaType: "requestBody" in operation,
        errors.NotFound: any(place == "path" for place, _ in asked),
        errors.CursorInvalid: ("query", "cursor") in asked,
        errors.CursorMismatch: ("query", "cursor") in asked,
        errors.IdempotencyInProgress: method == "post" and bool(operation["security"]),
        errors.IdempotencyMismatch: method == "post" and bool(operation["security"]),
    }
    for error in (each for each, may_happen in reasons.items() if may_happen):
        found = operation["responses"].setdefault(
            str(error.status), {"description": error.title, "content": PROBLEM, "x-codes": []}
        )
        if error.code not in found.setdefault("x-codes", []):
            found["x-codes"].append(error.code)


def text(app: FastAPI) -> str:
    """Return the document as it is committed: sorted keys, two spaces."""
    return json.pretty(document(app)) + "\n"


def describe(app: FastAPI) -> None:
    """Serve the document and the offline docs page."""
    served: dict[str, bytes] = {}

    def openapi() -> Response:
        if not served:
            served["document"] = json.dumpb(document(app))
        return Response(served["document"], media_type="application/json")

    def docs() -> Response:
        return Response((DOCS / "index.html").read_bytes(), media_type="text/html")

    public: dict[str, Any] = {"tags": ["health"], "openapi_extra": {"security": []}}
    app.add_api_route("/v1/openapi.json", openapi, summary="Read this document", responses=ITSELF, **public)
    app.add_api_route("/docs", docs, summary="Read this document as a page", response_class=HTMLResponse, **public)
    app.mount("/docs/assets", StaticFiles(directory=DOCS))
