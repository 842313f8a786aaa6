"""A job's whole life: what it costs to look at one, follow, list, cancel and retry it, and read results."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson
import psutil

from bench.orders import SOLD_OUT, make_orders, sold_out_orders
from bench.run import Goal
from bench.scenarios import p95

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.rivals import Ordermill
    from bench.run import Results, Runners, Seeds, Size, Tell

_LOOKS: Final = 200
_LISTED: Final = 50
_UNITS: Final = 1_000_000
_FOLLOWERS_MOST: Final = 200
_SAMPLE_SECONDS: Final = 0.02


class Asking:
    """Requests of one client, each timed."""

    def __init__(self, ours: Ordermill) -> None:
        self.ours = ours

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[httpx.Response, float]:
        """The answer, and the milliseconds that it took."""
        content = None if body is None else orjson.dumps(body)
        started = time.perf_counter()
        answer = self.ours.client.request(
            method, path, content=content, headers={**self.ours.headers, **headers}
        )
        took = (time.perf_counter() - started) * 1000
        answer.raise_for_status()
        return answer, took

    def accepted(self, orders: dict[str, Any]) -> str:
        """Have a batch accepted; gives its job's path."""
        path: str = self.ours.post(orjson.dumps(orders), Prefer="respond-async").headers["Location"]
        return path

    def is_done(self, path: str) -> bool:
        """Whether a job is."""
        return bool(self.ask("GET", path)[0].json()["done"])


def looking_at_jobs(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """A running job of many orders beside one of ten, in turns; and the list beside one job, at rest."""
    asking = Asking(runners.ours)
    if size.big_job:
        tell(f"looking at running jobs of {size.big_job:,} orders and of 10")
        # Behind the large one, in its own client's surplus, so that it waits as long as that one runs.
        jobs = {count: asking.accepted(make_orders(count, seeds())) for count in (size.big_job, 10)}
        taken: dict[int, list[float]] = {count: [] for count in jobs}
        for count, path in _while_running(asking, jobs):
            taken[count].append(asking.ask("GET", path)[1])
        _stop(asking, *jobs.values())
        medians = {
            count: results.add(f"looking at a running job of {count:,}", "ms", ms).median
            for count, ms in taken.items()
        }
        name = f"looking at a running job of {size.big_job:,} ÷ one of 10"
        results.goals.append(Goal(name, medians[size.big_job] / medians[10], 1.2, False))
    tell(f"listing {_LISTED} jobs")
    paths = [asking.accepted(make_orders(1, seeds())) for _ in range(_LISTED)]
    _stop(asking, *paths)
    pairs = [
        (asking.ask("GET", paths[0])[1], asking.ask("GET", f"/v1/jobs?limit={_LISTED}")[1])
        for _ in range(_LOOKS // 4)
    ]
    one = results.add("looking at one job", "ms", [pair[0] for pair in pairs]).median
    listed = results.add(f"listing {_LISTED} jobs", "ms", [pair[1] for pair in pairs]).median
    results.goals.append(Goal(f"listing {_LISTED} jobs ÷ looking at one", listed / one, 3.0, False))


def _while_running(asking: Asking, jobs: dict[int, str]) -> Iterator[tuple[int, str]]:
    """Each job in turn, as long as all of them run, and once at least."""
    for turn in range(_LOOKS):
        yield from jobs.items()
        if turn % 10 == 0 and any(asking.is_done(path) for path in jobs.values()):
            return


def _stop(asking: Asking, *paths: str) -> None:
    for path in paths:
        asking.ask("POST", f"{path}/cancel")
        asking.ours.wait_for_job(path)


def cancelling(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """Cancelling a large job that nobody has begun, while both workers are busy with another one."""
    if not size.big_job:
        return
    asking, taken = Asking(runners.ours), []
    for number in range(size.rounds):
        tell(f"cancelling {size.big_job:,} orders, round {number + 1} of {size.rounds}")
        busy, idle = (asking.accepted(make_orders(size.big_job, seeds())) for _ in range(2))
        answer, ms = asking.ask("POST", f"{idle}/cancel")
        if (job := answer.json())["cancelled"] + job["ok"] + job["pending"] != size.big_job:
            raise RuntimeError(f"the cancelled job does not add up: {job}")
        taken.append(ms / 1000)
        _stop(asking, idle, busy)
    seconds = results.add(f"cancelling {size.big_job:,} undecided orders", "s", taken).median
    results.goals.append(Goal(f"cancelling {size.big_job:,} undecided orders ÷ 1 s", seconds, 1.0, False))


def retrying(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """A retry of a batch that was rejected whole, for want of stock that has come, beside such a batch."""
    asking = Asking(runners.ours)
    rates: dict[str, list[float]] = {"a batch": [], "its retry": []}
    for number in range(size.rounds):
        tell(f"retries of {size.batch:,} orders, round {number + 1} of {size.rounds}")
        _count(asking, 0)
        rejected = asking.accepted(sold_out_orders(size.batch, seeds()))
        asking.ours.wait_for_job(rejected)
        _count(asking, _UNITS)
        began = time.perf_counter()
        retry = asking.ask("POST", f"{rejected}/retry", {}, Prefer="respond-async")[0].headers["Location"]
        rates["its retry"].append(_rate(asking, retry, size.batch, began))
        body = sold_out_orders(size.batch, seeds())
        began = time.perf_counter()
        rates["a batch"].append(_rate(asking, asking.accepted(body), size.batch, began))
    medians = {
        what: results.add(f"retries of {size.batch:,}: {what}", "orders/s", made).median
        for what, made in rates.items()
    }
    results.goals.append(
        Goal("a retry of what was rejected, × a batch", medians["its retry"] / medians["a batch"], 0.9)
    )


def _rate(asking: Asking, path: str, count: int, began: float) -> float:
    asking.ours.wait_for_job(path)
    took = time.perf_counter() - began
    job = asking.ask("GET", path)[0].json()
    if job["ok"] != count:
        raise RuntimeError(f"{job['ok']} of {count} orders were created: {job}")
    return count / took


def _count(asking: Asking, units: int) -> None:
    """Count the items that are sold out; what was taken of them is taken still, and nothing is left of 0."""
    rows = [{"product": sku, "quantity": units, "warehouse": "Main"} for sku in SOLD_OUT]
    asking.ask("POST", "/v1/stock", {"products": rows})


def reading_results(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """Outcomes with what was sent: how soon the first byte comes while the job runs, and the API's memory."""
    if not size.big_job:
        return
    tell(f"results of {size.big_job:,} orders with what was sent")
    asking = Asking(runners.ours)
    path = asking.accepted(make_orders(size.big_job, seeds()))
    wanted = f"{path}/results?include=order"
    first: list[float] = []
    while len(first) < _LOOKS // 10 and (not first or not asking.is_done(path)):
        first.append(_first_byte(runners.ours, wanted))
    asking.ours.wait_for_job(path)
    # One that has read no batch: what another one has taken for that it would take again unseen.
    url, pid = runners.ours.start_api()
    taken = [_memory_taken(runners.ours, url, pid, wanted) for _ in range(min(size.rounds, 3))]
    whole = f"results of {size.big_job:,} with what was sent"
    soon = results.add(f"first byte of {whole}, while the job runs", "ms", first).median
    memory = results.add(f"API's memory for {whole}", "MB", taken).median
    results.goals += [
        Goal(f"first byte of {whole} ÷ 200 ms", soon / 200, 1.0, False),
        Goal(f"API's memory for {whole} ÷ 30 MB", memory / 30, 1.0, False),
    ]


def _first_byte(ours: Ordermill, path: str) -> float:
    started = time.perf_counter()
    with ours.client.stream("GET", path, headers=ours.headers) as answer:
        next(answer.iter_raw())
        return (time.perf_counter() - started) * 1000


def _memory_taken(ours: Ordermill, url: str, pid: int, path: str) -> float:
    """Megabytes by which that process of an API that grows most grows while it sends the whole answer."""
    api = psutil.Process(pid)
    processes = [api, *api.children(recursive=True)]
    before = {one.pid: one.memory_info().rss for one in processes}
    most, over = dict(before), threading.Event()

    def watch() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            for one in processes:
                most[one.pid] = max(most[one.pid], one.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with httpx.stream("GET", url + path, headers=ours.headers, timeout=600) as answer:
            answer.raise_for_status()
            for _ in answer.iter_raw():
                pass
    finally:
        over.set()
        watcher.join()
    return float(max(most[pid] - before[pid] for pid in before)) / 1e6


def following(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """How many streams of one job one client finds room for, and how soon all of them are told of its end."""
    if not size.big_job:
        return
    tell("following a job as often as there is room")
    asking = Asking(runners.ours)
    path = asking.accepted(make_orders(size.big_job, seeds()))
    headers = {**runners.ours.headers, "Accept": "text/event-stream"}
    limits = httpx.Limits(max_connections=None)
    with (
        httpx.Client(base_url=runners.ours.url, timeout=60, limits=limits) as client,
        ExitStack() as opened,
    ):
        streams: list[httpx.Response] = []
        while len(streams) < _FOLLOWERS_MOST:
            stream = opened.enter_context(client.stream("GET", path, headers=headers))
            if stream.status_code != httpx.codes.OK:
                break
            streams.append(stream)
        began = time.perf_counter()
        asking.ask("POST", f"{path}/cancel")
        told: list[float] = []
        readers = [threading.Thread(target=_read_to_end, args=(one, told, began)) for one in streams]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    if len(told) < len(streams):
        raise RuntimeError(f"{len(streams) - len(told)} streams ended without telling of the job's end")
    results.add("streams of one job that one client finds room for", "streams", [len(streams)])
    results.add("until all streams have told of a cancelled job's end, p95", "ms", [p95(told)])
    asking.ours.wait_for_job(path)


def _read_to_end(stream: httpx.Response, told: list[float], began: float) -> None:
    if "event: done" in stream.iter_lines():
        told.append((time.perf_counter() - began) * 1000)
