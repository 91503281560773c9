"""The document is a product: valid, whole, and the same as the committed one."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import openapi
from app.kit import json
from app.tenancy.keys import SCOPES

PUBLIC: Final = {
    ("get", "/livez"), ("get", "/readyz"), ("get", "/metrics"), ("get", "/v1/openapi.json"), ("get", "/docs"),
    ("head", "/v1/hooks/{connection_id}"), ("post", "/v1/hooks/{connection_id}"), ("get", "/u/{token}"),
    ("post", "/u/{token}"), ("get", "/p/{token}"), ("post", "/p/{token}"), ("get", "/r/{token}"),
    ("get", "/o/{token}.gif"),
}  # fmt: skip
"""Operations that no key guards: each has a guard of its own, or nothing to guard."""


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return openapi.document(app)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_committed_document_is_current(app: FastAPI) -> None:
    assert openapi.FILE.read_text() == openapi.text(app), "run make openapi"


def test_every_operation_has_a_scope_or_is_public_by_name(document: dict[str, Any]) -> None:
    unguarded = {(method, path) for method, path, operation in _operations(document) if not operation["security"]}
    assert unguarded == PUBLIC
    scopes = {operation["x-scope"] for _, _, operation in _operations(document) if "x-scope" in operation}
    assert scopes <= SCOPES | {"any"}


def test_operation_ids_are_unique_and_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(ids) == len(set(ids))
    described = {tag["name"] for tag in document["tags"]}
    for method, path, operation in _operations(document):
        assert operation.get("summary"), (method, path)
        assert set(operation["tags"]) <= described, (method, path)


def test_every_json_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    bare = []
    for method, path, operation in _operations(document):
        bodies = [operation.get("requestBody", {})]
        bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for body in bodies:
            media = body.get("content", {}).get("application/json")
            if media and not _has_example(media, schemas):
                bare.append(f"{method} {path}")
    assert bare == []


def _has_example(media: dict[str, Any], schemas: dict[str, Any]) -> bool:
    if "example" in media or "examples" in media:
        return True
    schema = media.get("schema", {})
    found = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    return "example" in found or "examples" in found


def test_problems_are_declared_as_problems(document: dict[str, Any]) -> None:
    for method, path, operation in _operations(document):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and "pages" not in operation["tags"]:
                assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


def test_the_export_is_stable(app: FastAPI) -> None:
    assert openapi.text(app) == openapi.text(app)
    assert json.loads(openapi.text(app))["openapi"] == "3.1.0"
