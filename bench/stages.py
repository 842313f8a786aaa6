"""What an order costs a worker, stage by stage, and what it costs PostgreSQL: ``python -m bench.stages``.

One process settles a batch that is stored already: no HTTP, no queue, nobody to wait for. Its processor time
is sampled by a timer that runs in user mode alone, and a sample counts for the innermost module of ours that
has a stage; so whatever a library does for a module is that module's.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import FrameType

import click
import structlog
import uuid6
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from bench.ground import open_ground
from bench.processor_time import postgres_processes, spent_seconds
from bench.shapes import SHAPES, batch, make
from shared.domain.job import Job
from shared.domain.kinds import JobForm
from shared.domain.slicing import LARGE_QUEUE, handfuls
from shared.persistence.jobs.insert import NewJob, NewSlice, insert_job
from shared.settings import Settings
from worker.collector import collect_rarely
from worker.context import WorkerContext, open_worker_context
from worker.settle.message import settle_message

_SAMPLE_SECONDS = 0.001
_ELSE = "all else"

STAGES = {
    "shared.persistence.jobs.attempts": "take the slices",
    "shared.schemas": "read",
    "worker.settle.look_up": "look up",
    "shared.persistence.catalog": "look up",
    "shared.domain": "decide",
    "shared.persistence.stock": "lock and reserve stock",
    "shared.persistence.orders": "numbers and customers",
    "shared.persistence.orders.rows": "make rows",
    "shared.persistence.core.copying": "COPY",
    "shared.schemas.outcome": "outcomes",
    "worker.settle.close_slices": "outcomes",
    "shared.persistence.jobs.slices": "claim and close",
    "shared.persistence.core.database": "begin and commit",
    "worker.settle": "between the stages",
}
"""A module's stage, by the longest beginning of its name."""


@dataclass(frozen=True)
class Cost:
    """Of one batch, in µs an order: processor time by stage, by function and by process, and the clock."""

    stages: dict[str, float]
    lines: dict[str, float]
    worker_user: float
    worker_system: float
    postgres: float
    clock: float


class Samples:
    """Where the process was each time that its timer rang."""

    def __init__(self) -> None:
        self.stages: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Take samples in the block; in the main thread only."""
        signal.signal(signal.SIGVTALRM, self._ring)
        signal.setitimer(signal.ITIMER_VIRTUAL, _SAMPLE_SECONDS, _SAMPLE_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _ring(self, _: int, frame: FrameType | None) -> None:
        if frame is not None:
            code = frame.f_code
            self.lines[f"{os.path.relpath(code.co_filename)}:{code.co_name}"] += 1
        while frame is not None:
            stage = _stage(frame.f_globals.get("__name__", ""))
            if stage:
                self.stages[stage] += 1
                return
            frame = frame.f_back
        self.stages[_ELSE] += 1


def _stage(module: str) -> str:
    while module:
        if module in STAGES:
            return STAGES[module]
        module = module.rpartition(".")[0]
    return ""


def store(engine: Engine, form: JobForm, elements: Mapping[str, bytes], api_key_id: int) -> list[int]:
    """A job of these elements, as the API would store it, undecided; gives the ids of its slices."""
    settings = Settings()
    unsliced = iter(elements.items())
    slices: list[NewSlice] = []
    while some := dict(islice(unsliced, settings.slice_max_orders)):
        first = len(slices) * settings.slice_max_orders
        slices.append(
            NewSlice(number=len(slices), first_position=first, order_count=len(some), body=batch(some))
        )
    now = datetime.now(UTC)
    job = Job(
        id=uuid6.uuid7(),
        client_id=api_key_id,
        api_key_id=api_key_id,
        request_id="bench",
        total=len(elements),
        created_at=now,
        expires_at=now + timedelta(days=1),
        form=form,
    )
    new_job = NewJob(job=job, strict=False, queue=LARGE_QUEUE, dispatch_after_seconds=3600)
    return insert_job(engine, new_job, slices).slice_ids


def completions(context: WorkerContext, orders: Mapping[str, bytes], database_url: str) -> dict[str, bytes]:
    """Completions of these orders, each with its payment; they have been prepared."""
    prepare = {key: b'{"createOnly":true,' + order[1:] for key, order in orders.items()}
    ids = store(context.engine, JobForm.BATCH, prepare, api_key_id=1)
    settle(context, ids, len(orders), database_url)
    with context.engine.connect() as connection:
        prepared = (
            connection.execute(text("SELECT number FROM orders WHERE state = 'prepared'")).scalars().all()
        )
    paid = b'"payment":{"id":3,"capture":{"status":1,"amount":5,"transaction":"T-1"}}'
    return {str(number): b'{"order":%d,%b}' % (number, paid) for number in prepared}


def settle(context: WorkerContext, slice_ids: Sequence[int], count: int, database_url: str) -> Cost:
    """Settle these slices, of ``count`` orders, in messages as the API would send them."""
    messages = handfuls(slice_ids, LARGE_QUEUE)
    samples = Samples()
    postgres, began, ours = spent_seconds(postgres_processes(database_url)), time.perf_counter(), os.times()
    with samples.sampling():
        closed = 0
        for ids in messages:
            told = settle_message(context, ids if isinstance(ids, list) else [ids], LARGE_QUEUE)
            closed += sum(report.ok for report in told.reports)
    took, now = time.perf_counter() - began, os.times()
    if closed != count:
        raise RuntimeError(f"{closed} of {count} orders were created")
    per_order = 1e6 / count
    user = (now.user - ours.user) * per_order
    share = user / max(samples.stages.total(), 1)
    return Cost(
        {stage: times * share for stage, times in samples.stages.items()},
        {line: times * share for line, times in samples.lines.items()},
        user,
        (now.system - ours.system) * per_order,
        (spent_seconds(postgres_processes(database_url)) - postgres) * per_order,
        took * per_order,
    )


def best_of(costs: Sequence[Cost]) -> Cost:
    """The cheapest of several tries, figure by figure: a busy machine makes none cheaper."""
    stages = {stage for cost in costs for stage in cost.stages}
    return replace(
        min(costs, key=lambda cost: cost.worker_user),
        stages={stage: sorted(c.stages.get(stage, 0.0) for c in costs)[len(costs) // 2] for stage in stages},
        worker_user=min(cost.worker_user for cost in costs),
        worker_system=min(cost.worker_system for cost in costs),
        postgres=min(cost.postgres for cost in costs),
        clock=min(cost.clock for cost in costs),
    )


@click.command()
@click.option("--orders", default=10_000, show_default=True, help="Orders in a batch.")
@click.option("--rounds", default=5, show_default=True, help="How many batches; the best counts.")
@click.option("--shape", default=SHAPES[0], show_default=True, type=click.Choice(SHAPES))
@click.option("--complete", is_flag=True, help="Prepare the orders, and measure their completion.")
@click.option("--lines", default=0, help="Tell so many functions, too: the dearest by themselves.")
def main(*, orders: int, rounds: int, shape: str, complete: bool, lines: int) -> None:
    """Print what an order costs, in µs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))
    costs = []
    with open_ground() as ground:
        url = ground.new_database("stages")
        ground.prepare_for_ordermill(url)
        context = open_worker_context(Settings(database_url=url, redis_url=ground.redis(1)))
        collect_rarely()
        for seed in range(rounds + 1):
            size = orders if seed else 500  # connections, caches, imports
            sent = make(shape, size, seed=seed + 1, first_number=(seed + 1) * 10_000_000)
            form = JobForm.COMPLETIONS if complete else JobForm.BATCH
            elements = completions(context, sent, url) if complete else sent
            ids = store(context.engine, form, elements, api_key_id=1)
            costs.append(settle(context, ids, size, url))
        context.engine.dispose()
    show(best_of(costs[1:]), lines)


def show(cost: Cost, lines: int) -> None:
    """Print it."""
    console = Console(file=sys.stdout, width=110)
    table = Table("µs an order", "", title="What an order costs")
    for stage, micros in sorted(cost.stages.items(), key=lambda one: -one[1]):
        table.add_row(stage, f"{micros:.1f}")
    table.add_section()
    table.add_row("the worker, user", f"{cost.worker_user:.1f}")
    table.add_row("the worker, system", f"{cost.worker_system:.1f}")
    table.add_row("PostgreSQL", f"{cost.postgres:.1f}")
    table.add_row("by the clock", f"{cost.clock:.1f}")
    for line, micros in sorted(cost.lines.items(), key=lambda one: -one[1])[:lines]:
        table.add_row(line, f"{micros:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
