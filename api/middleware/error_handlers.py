"""Error handlers: whatever is raised in a request becomes a response with the envelope (CONTRACT 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from flask import Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from api.context import facts
from api.web.errors import ApiError
from api.web.responses import error_response
from shared.persistence.core.errors import (
    CommitUnknownError,
    DatabaseAwayError,
    IdleTooLongError,
    TransientError,
    UnableError,
)
from shared.persistence.jobs.insert import PromiseUnknownError
from shared.schemas.job import job_path

if TYPE_CHECKING:
    from flask import Response

_log = structlog.get_logger(__name__)
_AGAIN = {"Retry-After": "5"}


def add_error_handlers(app: Flask) -> None:
    """Register the handlers; Flask picks the one of the nearest class."""
    app.register_error_handler(ApiError, error_response)
    app.register_error_handler(HTTPException, _of_the_framework)
    app.register_error_handler(TransientError, _database_unable)
    app.register_error_handler(PromiseUnknownError, _promise_unknown)
    app.register_error_handler(Exception, _unexpected)


def _of_the_framework(error: HTTPException) -> Response:
    status = error.code or 500
    headers: dict[str, str] = {}
    if isinstance(error, NotFound):
        msg = "There is nothing at this path."
    elif isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        msg = f"This path does not take that method; it takes {allowed}."
        headers["Allow"] = allowed
    else:
        msg = f"The request cannot be answered: {error.name}."
    return error_response(ApiError(status, msg, headers=headers))


def _database_unable(error: TransientError) -> Response:
    why = _why(error)
    job_id = facts().job_id
    if request.method != "POST":
        msg = f"The database {why}; nothing is lost. Try again later."
    elif job_id is not None:
        # It is the reading that failed: the job is there.
        path = job_path(job_id)
        msg = f"The database {why}, but the batch was accepted before. Ask GET {path} later."
        return error_response(ApiError(503, msg, headers={"Location": path, **_AGAIN}))
    elif isinstance(error, CommitUnknownError):
        msg = (
            "The database went away while this was being written, and whether it was is not known. "
            "Look before you send it again, unless the same twice comes to the same."
        )
    else:
        msg = f"The database {why}; nothing was accepted. Try again later."
    return error_response(ApiError(503, msg, headers=_AGAIN))


def _why(error: TransientError) -> str:
    """What is the matter with the database, logged and in words."""
    if isinstance(error, DatabaseAwayError):
        _log.warning("database_away", fault=str(error))
        return "is away"
    if isinstance(error, UnableError | IdleTooLongError):
        # It will not pass by itself: somebody has to look.
        _log.error("database_unable", fault=str(error))
        return "cannot do this now"
    _log.warning("database_too_busy", fault=str(error))
    return "is too busy with others to answer in time"


def _promise_unknown(error: PromiseUnknownError) -> Response:
    _log.warning("promise_unknown", job_id=str(error.job_id), fault=str(error))
    path = job_path(error.job_id)
    msg = (
        "The database went away while the batch was being stored, and whether it was is not known yet. "
        f"Ask GET {path} later, and send the batch again only if that is 404."
    )
    return error_response(ApiError(503, msg, headers={"Location": path, **_AGAIN}))


def _unexpected(error: Exception) -> Response:
    _log.error("unexpected_fault", exc_info=error)
    msg = f"Something is wrong here, not with your request. Its id for whoever looks: {facts().request_id}."
    job_id = facts().job_id if request.method == "POST" else None
    headers = {} if job_id is None else {"Location": job_path(job_id)}
    return error_response(ApiError(500, msg, headers=headers))
