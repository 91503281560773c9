"""What a custom field may hold: a value is held to its definition, and a name to what may be collected at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from app.candidates.sensitive import sensitive_keys
from app.kit.errors import FieldError
from app.kit.pointers import below

FieldType = Literal["text", "number", "boolean", "date", "choice", "choices"]
MAX_TEXT: Final = 20_000
POINTER: Final = "/custom_fields"

SENTENCES: Final = {
    "wrong_type": "This is not of the type that the field is defined with.",
    "unknown_option": "This is not one of the field's options.",
    "sensitive_field": (
        "Employers may not collect this without a special reason: define the field with its reason first."
    ),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """What one custom field may hold."""

    key: str
    type: FieldType
    options: Sequence[str] = ()


def wrong(document: Mapping[str, Any] | None, defined: Mapping[str, Definition]) -> list[FieldError]:
    """List what is wrong with the custom fields of a statement; null clears a field, and is never wrong."""
    if not document:
        return []
    refused = [(at, "sensitive_field") for key, at in sensitive_keys(document, POINTER) if key not in defined]
    values = ((defined[key], value) for key, value in document.items() if key in defined and value is not None)
    found = [*refused, *((below(POINTER, of.key), code) for of, value in values for code in _faults(of, value))]
    return [FieldError(pointer, code, SENTENCES[code]) for pointer, code in found]


def _faults(definition: Definition, value: Any) -> Iterator[str]:  # noqa: ANN401 (any JSON value)
    if not _TESTS[definition.type](value):
        yield "wrong_type"
    elif definition.type in ("choice", "choices"):
        chosen = value if isinstance(value, list) else [value]
        if not set(chosen) <= set(definition.options):
            yield "unknown_option"


def _is_date(value: Any) -> bool:  # noqa: ANN401 (any JSON value)
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_TESTS: Final[Mapping[FieldType, Callable[[Any], bool]]] = {
    "text": lambda value: isinstance(value, str) and len(value) <= MAX_TEXT,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
    "choice": lambda value: isinstance(value, str),
    "choices": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
}
