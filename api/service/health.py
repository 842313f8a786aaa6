"""Health: /healthz, this process lives; /readyz, the database, the broker and a worker answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from api.web.errors import ApiError
from api.web.responses import json_response
from shared.persistence.core.errors import PersistenceError
from shared.persistence.core.schema_version import check_schema
from shared.queue.job_queue import QueueAwayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from api.context import AppContext, RequestContext

_LIMIT_SECONDS: Final = 2.5

Finding = dict[str, Any]
"""``{"ok": true, …}``, or ``{"ok": false, "why": "…"}``."""


def healthz(app: AppContext, _context: RequestContext) -> Response:
    """Answer, which is all there is to show."""
    return json_response(app.memory_budget, {"status": "ok"})


class Readiness:
    """Asks each part, all at once and in bounded time.

    Anybody may ask, and often; so a part that has not answered yet is not asked a second time meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, Future[Finding]] = {}

    def show(self, app: AppContext, _context: RequestContext) -> Response:
        """Answer 200 when every part is ok, else 503; each is named in the body."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        asked = {name: self._ask(name, check, app) for name, check in _CHECKS.items()}
        findings = {name: _finding(future, deadline) for name, future in asked.items()}
        missing = [f"{name}: {finding['why']}" for name, finding in findings.items() if not finding["ok"]]
        if not missing:
            return json_response(app.memory_budget, {"status": "ok", **findings})
        error = ApiError(503, "Not ready. " + "; ".join(missing) + ".")
        return json_response(app.memory_budget, {**error.envelope(), **findings}, 503, {"Retry-After": "5"})

    def _ask(self, name: str, check: Callable[[AppContext], Finding], app: AppContext) -> Future[Finding]:
        with self._lock:
            asked = self._asked.get(name)
            if asked is not None and not asked.done():
                return asked
            future = self._asked[name] = Future()
        # A daemon thread: one that hangs on a dead connection must not keep the process from ending.
        threading.Thread(target=_settle, args=(future, check, app), name=f"ready-{name}", daemon=True).start()
        return future


def _settle(future: Future[Finding], check: Callable[[AppContext], Finding], app: AppContext) -> None:
    try:
        future.set_result(check(app))
    except (PersistenceError, QueueAwayError) as error:
        future.set_result({"ok": False, "why": str(error)})
    except BaseException as error:
        future.set_exception(error)
        raise


def _finding(future: Future[Finding], deadline: float) -> Finding:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return {"ok": False, "why": f"no answer within {_LIMIT_SECONDS:g} s"}


def _database(app: AppContext) -> Finding:
    check_schema(app.keys_engine)
    return {"ok": True}


def _broker(app: AppContext) -> Finding:
    app.queue.ping()
    return {"ok": True}


def _workers(app: AppContext) -> Finding:
    count = len(app.queue.workers())
    return {"ok": True, "count": count} if count else {"ok": False, "why": "no worker takes messages"}


_CHECKS: Final[dict[str, Callable[[AppContext], Finding]]] = {
    "database": _database,
    "broker": _broker,
    "workers": _workers,
}
