"""The value of a leaf, read strictly by the kind of its field."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from app.criteria.fields import Field, Kind

_MAX_TEXT = 1000
_MAX_VALUES = 200
_MAX_DAYS = 36_500
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


class WrongTypeError(ValueError):
    """The value is not of the type that the field and the op ask for."""


def _text(raw: object) -> str:
    if not isinstance(raw, str) or len(raw) > _MAX_TEXT or "\0" in raw or not _encodable(raw):
        raise WrongTypeError
    return raw


def _encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _number(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise WrongTypeError
    try:
        number = float(raw)
    except OverflowError:
        raise WrongTypeError from None
    if not math.isfinite(number):
        raise WrongTypeError
    return number


def _bool(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise WrongTypeError
    return raw


def _date(raw: object) -> date:
    if not isinstance(raw, str) or not _DATE.fullmatch(raw):
        raise WrongTypeError
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise WrongTypeError from None


def _datetime(raw: object) -> datetime:
    if not isinstance(raw, str) or not _TIME.fullmatch(raw):
        raise WrongTypeError
    try:
        return datetime.fromisoformat(raw.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongTypeError from None


def _scalar(raw: object) -> str | float | bool:
    if isinstance(raw, bool):
        return raw
    return _text(raw) if isinstance(raw, str) else _number(raw)


_READERS: dict[Kind, Callable[[object], Any]] = {
    "text": _text,
    "folded": _text,
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "bool": _bool,
    "scalar": _scalar,
}


def read(field: Field, op: str, raw: object) -> Any:  # noqa: ANN401  the type follows from the kind and the op
    """Read the value of a leaf, folded where the field folds; raise `WrongTypeError`.

    `in`, `not_in`, `has_any` and `has_all` take at most 200 values, texts have at most 1,000 characters,
    days lie in 0 … 36,500, numbers are finite.
    """
    if op == "exists":
        return _bool(raw)
    if op in {"within_days", "older_than_days"}:
        return _days(raw)
    if op == "contains":
        return field.fold(_text(raw))
    if op in {"in", "not_in", "has_any", "has_all"}:
        if not isinstance(raw, list) or len(raw) > _MAX_VALUES:
            raise WrongTypeError
        return tuple(_one(field, item) for item in raw)
    if op in {"gt", "gte", "lt", "lte"} and isinstance(raw, bool):
        raise WrongTypeError
    return _one(field, raw)


def _one(field: Field, raw: object) -> Any:  # noqa: ANN401  as above
    value = _READERS[field.kind](raw)
    return field.fold(value) if field.kind == "folded" else value


def _days(raw: object) -> float:
    days = _number(raw)
    if not 0 <= days <= _MAX_DAYS:
        raise WrongTypeError
    return days
