"""One order alone, beside batches of 1,000 that a client waits for: who sends one must not wait for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import httpx
import orjson

from bench.orders import make_orders
from bench.run import Goal
from bench.scenarios import one_after_another, p95

if TYPE_CHECKING:
    from bench.rivals import Ordermill
    from bench.run import Results, Runners, Seeds, Size, Tell

WAITED: Final = 1_000
"""As many as are waited for without a preference (SYNC_MAX_ORDERS)."""
_PORTION = 20


def single_beside_waited(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """Batches of one while another client sends batches of 1,000 and waits for each."""
    if not size.big_job:
        return
    tell(f"batches of 1, idle, and beside batches of {WAITED:,} that are waited for")
    idle = p95(one_after_another(runners.ours, size.tens, 1, seeds))
    busy = _beside_waited(runners.ours, size.tens, seeds)
    results.add("batches of 1, p95, idle", "ms", [idle])
    beside = results.add(f"batches of 1, p95, beside waited batches of {WAITED:,}", "ms", [p95(busy)])
    name = f"batches of 1, p95 beside waited batches of {WAITED:,} ÷ idle"
    results.goals.append(Goal(name, beside.median / idle, 3.0, False))


def _beside_waited(rival: Ordermill, times: int, seeds: Seeds) -> list[float]:
    """Milliseconds of so many batches of one, each sent while a large one is being waited for."""
    bodies = [orjson.dumps(make_orders(WAITED, seeds())) for _ in range(4 + times // 4)]
    over, faults = threading.Event(), list[Exception]()

    def send_large() -> None:
        try:
            with httpx.Client(base_url=rival.url, timeout=60) as client:
                for body in bodies:
                    rival.post(body, client)
                    if over.is_set():
                        return
        except httpx.HTTPError as fault:
            faults.append(fault)
        over.set()

    thread = threading.Thread(target=send_large)
    thread.start()
    taken: list[float] = []
    while len(taken) < times and not over.is_set():
        taken += one_after_another(rival, min(_PORTION, times - len(taken)), 1, seeds)
    over.set()
    thread.join()
    if faults:
        raise faults[0]
    return taken
