"""Log lines on standard error: for a person on a terminal, one JSON object per line anywhere else.

Lines of structlog and of the standard library's loggers (Celery, gunicorn, Alembic) take the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from shared.settings import Settings, SettingsError
from shared.terminal_text import printable_lines

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_FORMATS = ("auto", "json", "human")
# These tell at INFO what our own lines tell once per request, per slice, per migration.
_QUIET = ("alembic", "celery.app.trace", "celery.worker.strategy", "httpx", "httpcore", "flask-limiter")
# Control characters, shown; a line's end keeps its meaning, but what follows is told from a line of ours.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {ord("\n"): "\n    "}
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
# A password inside a URL; a "/" or "@" in it may have been left as it is.
_PASSWORD = re.compile(r"(://[^\s:/@]*):[^\s\"']+@")
# What may follow the "@" of an e-mail address, and what its mailbox cannot hold.
_DOMAIN = re.compile(r"[^\s@\"'<>(),:;]+\.[^\s@\"'<>(),:;\\.]{2}")
_NO_MAILBOX = " \t\r\n\"'<>(),:;=/"
_API_KEY = re.compile(r"(om_[a-z0-9]{8})_[A-Za-z0-9_-]{8,}")


def configure_logging(settings: Settings, role: str) -> None:
    """Set up logging for this process; ``role`` (api, worker, …) stands on every JSON line.

    May be called again, and then only counts anew. Raises SettingsError.
    """
    level, human = _level(settings), speaks_to_a_person(settings)
    ours: list[Processor] = [
        # The request id and job id that the present request or task has bound.
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*ours, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*ours, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_people() if human else _for_machines(role)),
                _conceal_secrets,
                *([_steering_nothing] if human else []),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
    logging.captureWarnings(capture=True)


def speaks_to_a_person(settings: Settings) -> bool:
    """Whether lines are written for a person. Raises SettingsError."""
    if settings.log_format not in _FORMATS:
        raise SettingsError(f"LOG_FORMAT is {settings.log_format!r}; it takes json, human or auto.")
    return settings.log_format == "human" or (settings.log_format == "auto" and sys.stderr.isatty())


def _level(settings: Settings) -> int:
    name = settings.log_level.upper()
    if name not in _LEVELS:
        raise SettingsError(f"LOG_LEVEL is {settings.log_level!r}; it takes {', '.join(_LEVELS)}.")
    return int(getattr(logging, name))


def _for_people() -> list[Processor]:
    return [
        _on_its_own_lines,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=28,
            # The richer ones show local variables, and with them keys and addresses.
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


def _steering_nothing(_logger: WrappedLogger, _method: str, line: Any) -> Any:
    # Our own colours stay; a traceback may repeat what a client sent.
    return "".join(part if _COLOUR.fullmatch(part) else printable_lines(part) for part in _COLOUR.split(line))


def _for_machines(role: str) -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        _naming(role),
        # The standard library's json, escaping all but ASCII: it takes any text, lone surrogates too.
        structlog.processors.JSONRenderer(default=str),
    ]


def _on_its_own_lines(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    # Values are quoted by the renderer, the event is not, and a library's may repeat what a client sent.
    event["event"] = str(event.get("event", "")).translate(_CONTROLS)
    return event


def _naming(role: str) -> Processor:
    def name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        # What a person looks for first, first.
        return {
            "timestamp": event.pop("timestamp", None),
            "level": event.pop("level", None),
            "role": role,
            "event": event.pop("event", None),
            **event,
        }

    return name


def _conceal_secrets(_logger: WrappedLogger, _method: str, line: Any) -> Any:
    """None of our lines says these, but a library's exception may quote them."""
    if "://" in line:
        line = _PASSWORD.sub(r"\1:***@", line)
    if "om_" in line:
        line = _API_KEY.sub(r"\1_***", line)
    return _without_mailboxes(line) if "@" in line else line


def _without_mailboxes(line: str) -> str:
    *before, last = line.split("@")
    told = []
    for left, right in zip(before, [*before[1:], last], strict=True):
        begin = max(map(left.rfind, _NO_MAILBOX)) + 1
        told.append(left[:begin] + "***" if begin < len(left) and _DOMAIN.match(right) else left)
    return "@".join([*told, last])
