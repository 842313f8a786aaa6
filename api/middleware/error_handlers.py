"""Error handlers: whatever is raised in a request becomes a response with the envelope (contract §1)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import structlog
from flask import Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from api.context import request_context
from api.web.errors import ApiError
from api.web.responses import error_response
from shared.persistence.core.errors import (
    CommitUnknownError,
    DatabaseAwayError,
    IdleTooLongError,
    TransientError,
    UnableError,
)
from shared.persistence.jobs.insert import JobInsertUnknownError
from shared.schemas.job import job_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Response

    from api.context import RequestContext
    from api.memory_budget import MemoryBudget

_log = structlog.get_logger(__name__)
_AGAIN = {"Retry-After": "5"}


def add_error_handlers(app: Flask, budget: MemoryBudget) -> None:
    """Register the handlers; Flask picks the one of the nearest class."""
    for kind, translate in _TRANSLATIONS.items():
        app.register_error_handler(kind, partial(_respond, budget, translate))


def _respond(
    budget: MemoryBudget, translate: Callable[[Any, RequestContext], ApiError], error: Exception
) -> Response:
    return error_response(budget, translate(error, request_context()))


def _api_error(error: ApiError, _: RequestContext) -> ApiError:
    return error


def _of_the_framework(error: HTTPException, _: RequestContext) -> ApiError:
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
    return ApiError(status, msg, headers=headers)


def _database_unable(error: TransientError, context: RequestContext) -> ApiError:
    why = _why(error)
    if request.method != "POST":
        msg = f"The database {why}; nothing is lost. Try again later."
    elif context.job_id is not None:
        # It is the reading that failed: the job is there.
        path = job_path(context.job_id)
        msg = f"The database {why}, but the batch was accepted before. Ask GET {path} later."
        return ApiError(503, msg, headers={"Location": path, **_AGAIN})
    elif isinstance(error, CommitUnknownError):
        msg = (
            "The database went away while this was being written, and whether it was is not known. "
            "Look before you send it again, unless the same twice comes to the same."
        )
    else:
        msg = f"The database {why}; nothing was accepted. Try again later."
    return ApiError(503, msg, headers=_AGAIN)


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


def _insert_unknown(error: JobInsertUnknownError, _: RequestContext) -> ApiError:
    _log.warning("insert_unknown", job_id=str(error.job_id), fault=str(error))
    path = job_path(error.job_id)
    msg = (
        "The database went away while the batch was being stored, and whether it was is not known yet. "
        f"Ask GET {path} later, and send the batch again only if that is 404."
    )
    return ApiError(503, msg, headers={"Location": path, **_AGAIN})


def _unexpected(error: Exception, context: RequestContext) -> ApiError:
    _log.error("unexpected_fault", exc_info=error)
    msg = f"Something is wrong here, not with your request. Its id for whoever looks: {context.request_id}."
    job_id = context.job_id if request.method == "POST" else None
    headers = {} if job_id is None else {"Location": job_path(job_id)}
    return ApiError(500, msg, headers=headers)


_TRANSLATIONS: Final[Mapping[type[Exception], Callable[[Any, RequestContext], ApiError]]] = {
    ApiError: _api_error,
    HTTPException: _of_the_framework,
    TransientError: _database_unable,
    JobInsertUnknownError: _insert_unknown,
    Exception: _unexpected,
}
