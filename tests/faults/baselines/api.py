"""A baseline's API: a batch becomes a group of tasks, and the group's results are its outcomes."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid4, uuid5

from celery import group
from celery.exceptions import TimeoutError as ResultTimeoutError
from celery.result import AsyncResult, GroupResult
from flask import Flask, Response, abort, request
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from tests.faults.baselines.celery_app import CREATE_ORDER, RESULT_SECONDS, create_celery

_WAITS_MOST_ORDERS = 10
_WAIT_SECONDS = 4.0
_AWAY = (OperationalError, RedisError, ConnectionError)


def create_app(redis_url: str, *, keyed: bool) -> Flask:
    """The application. ``keyed``: the same Idempotency-Key is the same job, so its orders are the same."""
    app = Flask("baseline")
    celery = create_celery(redis_url)
    create_order = celery.tasks[CREATE_ORDER]
    redis = celery.backend.client

    @app.post("/v1/orders")
    def orders() -> tuple[Any, int, dict[str, str]]:
        batch = request.get_json()
        key = request.headers.get("Idempotency-Key")
        job = str(uuid5(NAMESPACE_URL, key) if keyed and key else uuid4())
        tasks = [create_order.s(job, at, key, order) for at, (key, order) in enumerate(batch.items())]
        result = group(tasks).apply_async()
        result.save()
        redis.set(f"keys:{result.id}", json.dumps(list(batch)), ex=RESULT_SECONDS)
        place = {"Location": f"/v1/jobs/{result.id}"}
        if len(batch) <= _WAITS_MOST_ORDERS:
            try:
                told = result.get(timeout=_WAIT_SECONDS, propagate=False)
            except ResultTimeoutError:
                return _job(result), 202, place
            outcomes = [_as_outcome(one) for one in told]
            return dict(zip(batch, outcomes, strict=True)), 200, place
        return _job(result), 202, place

    @app.get("/v1/jobs/<job>")
    def show_job(job: str) -> dict[str, Any]:
        return _job(_found(job))

    @app.get("/v1/jobs/<job>/results")
    def show_results(job: str) -> dict[str, Any]:
        results = cast("list[AsyncResult]", _found(job).results)
        keys = json.loads(redis.get(f"keys:{job}") or abort(404))
        return {key: _as_outcome(one.result) for key, one in zip(keys, results, strict=True) if one.ready()}

    def _found(job: str) -> GroupResult:
        return GroupResult.restore(job, app=celery) or abort(404)

    def away(_error: Exception) -> Response:
        return Response('{"status":"no","msg":"try again"}', 503, {"Retry-After": "1"}, "application/json")

    for kind in _AWAY:
        app.register_error_handler(kind, away)
    return app


def _job(result: GroupResult) -> dict[str, Any]:
    results = cast("list[AsyncResult]", result.results)
    outcomes = [_as_outcome(one.result) for one in results if one.ready()]
    ok = sum(one["status"] == "ok" for one in outcomes)
    return {
        "id": result.id,
        "total": len(results),
        "pending": len(results) - len(outcomes),
        "ok": ok,
        "failed": len(outcomes) - ok,
        "cancelled": 0,
        "done": len(outcomes) == len(results),
    }


def _as_outcome(result: Any) -> dict[str, Any]:
    """A task's result; a task that failed has an exception for one."""
    if isinstance(result, dict):
        return result
    return {"status": "no", "code": -7, "msg": f"the order could not be created: {result}"}
