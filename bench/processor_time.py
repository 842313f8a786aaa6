"""The processor time of the servers and programs that a run has started, and of no others on the machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import psutil
import psycopg
import redis


def postgres_processes(database_url: str) -> list[psutil.Process]:
    """The PostgreSQL server that has this database, and its backends: there may be others on the machine."""
    with psycopg.connect(database_url) as connection:
        server = psutil.Process(connection.info.backend_pid).parent()
    if server is None:
        raise RuntimeError("PostgreSQL's backend has no parent")
    return [server, *server.children()]


def redis_process(redis_url: str) -> psutil.Process:
    """The Redis server that answers there."""
    client = redis.Redis.from_url(redis_url)
    try:
        return psutil.Process(int(cast("dict[str, Any]", client.info("server"))["process_id"]))
    finally:
        client.close()


def spent_seconds(processes: Iterable[psutil.Process]) -> float:
    """Their own seconds and those of their children that have ended: what a backend did stays in the sum."""
    return sum(_spent(one) for one in processes)


def _spent(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        # It ended since it was listed, and its parent has its seconds.
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
