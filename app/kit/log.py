"""Structured logs, one JSON object a line, with ids and never a person's data.

Values of the fields in `PERSONAL` are dropped by name, and exceptions are written without their message, because
drivers quote the row that failed.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, cast

import structlog

PERSONAL: Final = frozenset(
    {
        "address", "body", "cells", "email", "emails", "full_name", "headers", "identifier", "name", "payload", "phone",
        "phones", "query", "raw", "to", "value", "params", "detail",
    }
)  # fmt: skip


def _drop_personal(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 (structlog's signature)
    for field in PERSONAL & event.keys():
        event[field] = "[dropped]"
    return event


def _name_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 (structlog's signature)
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else sys.exc_info()[1] if info else None
    if error is None:
        return event
    event["exception"] = f"{type(error).__module__}.{type(error).__qualname__}"
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/app/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    event["where"] = places[-8:]
    return event


def configure(level: str = "INFO") -> None:
    """Write logs of this process to stderr from `level` on; libraries speak from WARNING on."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format='{"event": "library", "logger": "%(name)s"}')
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_exception,
            _drop_personal,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of the module `name`."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(module=name))
