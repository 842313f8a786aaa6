"""Where a batch's time goes: for whom the processors work, and what the workers' transactions wait for."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from dataclasses import dataclass

import psutil
import psycopg

from bench.processor_time import postgres_processes, redis_process, spent_seconds
from bench.rivals import Ordermill

SAMPLE_SECONDS = 0.02

_WAITS = (
    "SELECT CASE wait_event WHEN 'ClientRead' THEN 'the worker' ELSE"
    " coalesce(wait_event_type || ': ' || wait_event, 'nothing: PostgreSQL works') END"
    " FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ordermill-worker'"
    " AND state <> 'idle'"
)


@dataclass(frozen=True)
class Profile:
    """Of one batch."""

    name: str
    seconds: float
    cpu_micros: dict[str, float]
    """Processor time of an order by program, in µs; ``idle`` is what the machine's cores had left."""
    waits: dict[str, float]
    """Of the moments in which a worker was in a transaction: the share of waiting for this."""


def profile_batch(rival: Ordermill, count: int, seed: int, name: str) -> Profile:
    """Run a batch and look on."""
    before, samples, over = _cpu_seconds(rival), Counter[str](), threading.Event()
    watcher = threading.Thread(target=_sample, args=(rival.database_url, samples, over))
    watcher.start()
    started = time.perf_counter()
    try:
        rival.run_batch(count, seed)
    finally:
        seconds = time.perf_counter() - started
        after = _cpu_seconds(rival)
        over.set()
        watcher.join()
    spent = {part: after[part] - before[part] for part in after}
    spent["idle"] = max((os.cpu_count() or 1) * seconds - sum(spent.values()), 0)
    return Profile(
        name,
        seconds,
        {part: used / count * 1e6 for part, used in spent.items()},
        {wait: times / samples.total() for wait, times in samples.most_common()},
    )


def _sample(database_url: str, samples: Counter[str], over: threading.Event) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        while not over.wait(SAMPLE_SECONDS):
            samples.update(row[0] for row in connection.execute(_WAITS))


def _cpu_seconds(rival: Ordermill) -> dict[str, float]:
    api, worker, scheduler = (psutil.Process(pid) for pid in rival.pids)
    programs = {
        "worker": [worker, *worker.children(recursive=True)],
        "PostgreSQL": postgres_processes(rival.database_url),
        "API": [api, *api.children(recursive=True)],
        "Redis and the scheduler": [
            redis_process(rival.redis_url),
            scheduler,
            *scheduler.children(recursive=True),
        ],
        "the client": [psutil.Process()],
    }
    return {name: spent_seconds(processes) for name, processes in programs.items()}
