"""Examples of the document, made whole: what an example leaves out is filled in from its schema."""

from typing import Any, Final

SAMPLES: Final = {
    "uuid": "01999999-0000-7000-8000-000000000000",
    "date-time": "2026-11-23T00:00:00Z",
    "date": "2026-11-23",
    "uri": "https://example.com/",
}
BY_TYPE: Final[dict[str, Any]] = {
    "string": "…",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "array": [],
    "object": {},
}
DEEPEST: Final = 12


def complete(schemas: dict[str, Any]) -> None:
    """Fill in, in every named schema that has an example, what the schema requires and the example lacks."""
    for schema in schemas.values():
        if "example" in schema:
            schema["example"] = _whole(schema["example"], schema, schemas, 0)


def _whole(value: Any, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:  # noqa: ANN401 (JSON)
    found = _fitting(value, schema, schemas)
    if depth > DEEPEST or found is None:
        return value
    if isinstance(value, list):
        return [_whole(each, found.get("items", {}), schemas, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    members = found.get("properties", {})
    lacking = [name for name in found.get("required", []) if name not in value]
    whole = {name: _whole(each, members.get(name, {}), schemas, depth + 1) for name, each in value.items()}
    return whole | {name: _sample(members[name], schemas, depth + 1) for name in lacking}


def _fitting(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any] | None:  # noqa: ANN401 (JSON)
    """Return the schema that `value` is of: named ones are looked up, of several the one whose type it has."""
    named = schema.get("$ref")
    if named is not None:
        return _fitting(value, schemas[named.rsplit("/", 1)[1]], schemas)
    kind = "array" if isinstance(value, list) else "object"
    choices = [_fitting(value, each, schemas) for each in schema.get("anyOf", schema.get("oneOf", []))]
    if not choices:
        return schema
    fitting = [each for each in choices if each is not None and each.get("type") == kind]
    shared = [
        each for each in fitting if not isinstance(value, dict) or value.keys() <= each.get("properties", {}).keys()
    ]
    return next(iter(shared or fitting), None)


def _sample(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:  # noqa: ANN401 (JSON)
    """Return the plainest value of a schema: its default, null where that is one, else one of its type."""
    if "$ref" in schema:
        named = schemas[schema["$ref"].rsplit("/", 1)[1]]
        return _whole(named["example"], named, schemas, depth) if "example" in named else _sample(named, schemas, depth)
    for known in ("default", "const"):
        if known in schema:
            return schema[known]
    choices = schema.get("anyOf", schema.get("oneOf", []))
    if choices:
        return None if {"type": "null"} in choices else _sample(choices[0], schemas, depth)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" and depth <= DEEPEST:
        return _whole({}, schema, schemas, depth)
    return SAMPLES.get(schema.get("format", ""), BY_TYPE.get(schema.get("type", ""), None))
