"""Structured logs: one JSON object per line on standard error, in English, with ids instead of personal data."""

import logging
import os
import sys
import traceback
from typing import Any

import structlog
from flask import Flask

# Frames of an exception that are kept, from the innermost outwards.
FRAMES = 12


def configure(app: Flask) -> None:
    """Send the product's log and the libraries' warnings to standard error; silent under test."""
    if app.testing:
        structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
        return
    shared = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exception_without_words,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(os.environ.get("LOG_LEVEL", "WARNING").upper())


def exception_without_words(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace an exception by its type and where it came from.

    Its message is left out: it may quote a name, a phone or a figure. An operating system's error keeps its reason,
    because a full disk must be told from a missing folder.
    """
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0] is not None:
        chain = []
        error = info[1]
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
            chain.append(
                {
                    "type": f"{type(error).__module__}.{type(error).__qualname__}",
                    "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
                }
                | ({"reason": error.strerror} if isinstance(error, OSError) and error.strerror else {})
            )
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        event["exception"] = chain
    return event


def _drop(_logger: Any, _method: str, _event: dict[str, Any]) -> dict[str, Any]:
    raise structlog.DropEvent
