"""A dry run beside the real one: the same batch, first dry and then wet, in turns."""

from __future__ import annotations

import time

import httpx
import orjson

from bench.orders import make_orders
from bench.run import Goal, Results, Runners, Seeds, Size, Tell
from bench.scenarios import run_checked


def dry_runs(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """Orders a second of one batch, dry and wet. A dry one goes in order, so one worker has it at a time."""
    rates: dict[str, list[float]] = {"dry": [], "wet": []}
    ours = runners.ours
    for number in range(size.rounds):
        tell(f"dry runs, round {number + 1} of {size.rounds}")
        body = orjson.dumps(make_orders(size.batch, seeds()))
        started = time.perf_counter()
        accepted = ours.client.post(
            f"{ours.path}?validateOnly=true",
            content=body,
            headers={**ours.headers, "Prefer": "respond-async"},
        )
        path = accepted.raise_for_status().json()["links"]["self"]
        ours.wait_for_job(path)
        rates["dry"].append(size.batch / (time.perf_counter() - started))
        _check(ours.client.get(path, headers=ours.headers), size.batch)
        rates["wet"].append(run_checked(ours, size.batch, seeds()))
    medians = {
        name: results.add(f"one batch of {size.batch:,}: {name}", "orders/s", values).median
        for name, values in rates.items()
    }
    results.goals.append(Goal("dry run, × the real one", medians["dry"] / medians["wet"], 0.6))


def _check(job: httpx.Response, count: int) -> None:
    ok = job.raise_for_status().json()["ok"]
    if ok != count:
        raise RuntimeError(f"{ok} of {count} orders were found creatable")
