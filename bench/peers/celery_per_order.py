"""celery-per-order: a Flask route that fans each order out as a task and collects a group from Redis."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery, group
from flask import Flask, request
from marshmallow import ValidationError
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from bench.peers.checks import checked
from bench.peers.models import OutOfStockError, create_order

WAIT_SECONDS = 600


def create_celery(redis_url: str, database_url: str = "") -> Celery:
    """Celery with Redis as broker and result backend, as its documentation sets it up for late acks."""
    app = Celery("celery-per-order", broker=redis_url, backend=redis_url)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        result_expires=3600,
    )
    engines: dict[int, Engine] = {}

    def engine() -> Engine:
        if os.getpid() not in engines:
            url = database_url.replace("postgresql://", "postgresql+psycopg://")
            engines[os.getpid()] = create_engine(url)
        return engines[os.getpid()]

    @app.task(name="bench.create_order")  # type: ignore[untyped-decorator]  # Celery has no types
    def create_one(sent: dict[str, Any]) -> dict[str, Any]:
        with Session(engine()) as session:
            try:
                number = create_order(session, checked(sent))
                session.commit()
            except (ValidationError, OutOfStockError) as error:
                return {"status": "no", "msg": str(error)}
            return {"status": "ok", "orders": [number]}

    return app


def create_app(redis_url: str) -> Flask:
    """The application: POST /orders with a keyed batch."""
    app = Flask("celery-per-order")
    celery = create_celery(redis_url)
    create_one = celery.tasks["bench.create_order"]

    @app.post("/orders")
    def orders() -> dict[str, Any]:
        batch = request.get_json()
        result = group(create_one.s(order) for order in batch.values()).apply_async()
        outcomes = result.get(timeout=WAIT_SECONDS)
        result.forget()
        return dict(zip(batch, outcomes, strict=True))

    return app


if __name__ == "__main__":
    processes, redis_url, database_url = sys.argv[1:4]
    create_celery(redis_url, database_url).worker_main(
        ["worker", "--pool=prefork", f"--concurrency={processes}", "--loglevel=WARNING", "--without-gossip"]
    )
