"""A baseline's Celery: a task per order, its outcome in the result backend, as the documentation says."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from celery import Celery
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import InterfaceError, OperationalError

from tests.faults.baselines.orders import create_order
from tests.faults.goods import POISON

CREATE_ORDER = "baseline.create_order"
RESULT_SECONDS = 3_600


def create_celery(redis_url: str, database_url: str = "") -> Celery:
    """Celery with Redis as broker and result backend."""
    app = Celery("baseline", broker=redis_url, backend=redis_url)
    app.conf.update(
        # "Tasks": acknowledge late when a task may run twice, and bring it back when its process is killed.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # "Optimizing": with late acks, reserve one task per process.
        worker_prefetch_multiplier=1,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        result_expires=RESULT_SECONDS,
        # "Using Redis": longer than any task; an hour by default, short here as ordermill's limits are.
        broker_transport_options={"visibility_timeout": 30},
        result_backend_transport_options={"visibility_timeout": 30, "retry_policy": {"timeout": 5.0}},
        # Also when Redis is away for longer than a few tries take.
        result_backend_always_retry=True,
        redis_backend_health_check_interval=10,
        redis_retry_on_timeout=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
    )
    engines: dict[int, Engine] = {}

    def engine() -> Engine:
        # One for each process: connections must not be shared over a fork.
        if os.getpid() not in engines:
            url = database_url.replace("postgresql://", "postgresql+psycopg://")
            engines[os.getpid()] = create_engine(
                url, pool_pre_ping=True, connect_args={"application_name": "baseline"}
            )
        return engines[os.getpid()]

    # "Tasks": transient faults are retried with a growing pause and jitter.
    @app.task(  # type: ignore[untyped-decorator]  # Celery has no types
        name=CREATE_ORDER,
        autoretry_for=(OperationalError, InterfaceError),
        retry_backoff=True,
        retry_backoff_max=8,
        retry_jitter=True,
        max_retries=20,
    )
    def create(job_id: str, position: int, key: str, sent: dict[str, Any]) -> dict[str, Any]:
        if POISON in {line["sku"] for line in sent["products"]}:
            # The campaign's order that kills whoever takes it in hand.
            os.kill(os.getpid(), signal.SIGKILL)
        return create_order(engine(), job_id, position, key, sent)

    return app


if __name__ == "__main__":
    processes, redis_url, database_url = sys.argv[1:4]
    create_celery(redis_url, database_url).worker_main(
        [
            "worker",
            "--pool=prefork",
            f"--concurrency={processes}",
            "--loglevel=WARNING",
            f"--hostname=worker-{os.getpid()}@%h",
        ]
    )
