"""The structured log: one JSON object a line on standard error, without any text of an article."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_LOGGER = logging.getLogger("orbat.service")


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON.

    Of an exception, only the class and the place are written: its message may quote the text that
    caused it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                line["at"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)


def configure_log() -> None:
    """Send the events of the service, and the warnings of its libraries, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().handlers = [handler]
    _LOGGER.setLevel(logging.INFO)


def log_event(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write an event with its fields."""
    _LOGGER.log(level, event, extra={"fields": fields})


def log_exception(event: str, error: BaseException, **fields: Any) -> None:
    """Write an event that an unexpected exception caused."""
    trace = (type(error), error, error.__traceback__)
    _LOGGER.error(event, exc_info=trace, extra={"fields": fields})
