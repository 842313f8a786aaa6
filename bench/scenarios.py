"""The scenarios: what is run, in interleaved rounds, and what must hold of the ratios."""

from __future__ import annotations

import statistics
import threading
import time

import httpx
import orjson

from bench.orders import LINES_PER_ORDER, UNITS_PER_ORDER, make_orders
from bench.profile import profile_batch
from bench.rivals import OverHttp, Rival
from bench.run import Goal, Results, Runners, Seeds, Size, Tell
from bench.shapes import SHAPES, batch, make


def run_checked(rival: Rival, count: int, seed: int, *, hot: bool = False) -> float:
    """Orders a second of one batch; it counts only if exactly its rows and its stock are there after it."""
    before = rival.ground.sums(rival.database_url)
    took = rival.run_batch(count, seed, hot=hot)
    after = rival.ground.sums(rival.database_url)
    grown = tuple(b - a for a, b in zip(before, after, strict=True))
    units = UNITS_PER_ORDER * count
    if grown != (count, LINES_PER_ORDER * count, units, units):
        raise RuntimeError(f"{rival.name} wrote {grown} for {count} orders")
    return count / took


def large_batches(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """One large batch: ours beside all others, spread over the items and on one hot item; one worker, two."""
    rates: dict[str, list[float]] = {}

    def measure(label: str, rival: Rival, count: int, *, hot: bool = False) -> None:
        rates.setdefault(label, []).append(run_checked(rival, count, seeds(), hot=hot))

    for number in range(size.rounds):
        tell(f"large batches, round {number + 1} of {size.rounds}")
        measure("limit", runners.limit, size.batch)
        measure("ordermill", runners.ours, size.batch)
        measure("copy-limit", runners.copy_limit, size.batch)
        measure("celery-per-order", runners.celery, size.slow_batch)
        measure("direct", runners.direct, size.slow_batch)
        measure("ordermill, one hot item", runners.ours, size.batch, hot=True)
        measure("ordermill, one worker process", runners.ours_alone, size.batch)
    medians = {
        label: results.add(f"one batch of {size.batch:,}: {label}", "orders/s", values).median
        for label, values in rates.items()
    }
    ours = medians["ordermill"]
    results.goals += [
        Goal("large batch, × limit", ours / medians["limit"], 1.0),
        Goal("large batch, × copy-limit", ours / medians["copy-limit"], 0.55),
        Goal("large batch, × celery-per-order", ours / medians["celery-per-order"], 25.0),
        Goal("large batch, × direct", ours / medians["direct"], 10.0),
        Goal("hot item, × its spread figure", medians["ordermill, one hot item"] / ours, 0.8),
    ]


def where_time_goes(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """One large batch more, with one worker process and with two, looked at while it runs."""
    for rival, name in ((runners.ours_alone, "1 worker process"), (runners.ours, "2 worker processes")):
        tell(f"a profile with {name}")
        results.profiles.append(profile_batch(rival, size.batch, seeds(), name))


def growing_batches(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """How cost grows with the batch, how soon the 202 comes, and what memory the API takes."""
    if not size.scale:
        return
    costs: dict[int, float] = {}
    share = 0.0
    for count in size.scale:
        tell(f"a batch of {count:,}")
        taken: list[float] = []
        for _ in range(3 if count < max(size.scale) else 1):
            to_accepted, took = runners.ours.run_job(count, seeds())
            taken.append(took / count * 1e6)
            share = to_accepted / took
        costs[count] = results.add(f"cost of an order in a batch of {count:,}", "µs", taken).median
    results.add(f"202 of a batch of {max(size.scale):,}", "share of the total", [share])
    peak = runners.ours.api_peak_bytes() / 1e6
    results.add("API's peak memory", "MB", [peak])
    results.goals += [
        Goal("cost per order, largest ÷ smallest batch", costs[max(costs)] / costs[min(costs)], 1.2, False),
        Goal("202, share of the total", share, 0.2, False),
        Goal("API's peak memory ÷ 400 MB", peak / 400, 1.0, False),
    ]


ORDER_LINES = (1, 2, 21, 1_000)

_SHAPE = "all orders in one shape: "


def shapes(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """The same orders as real clients spell them, all shapes in turns; and orders of more and more lines."""
    if not size.shaped:
        return
    rates: dict[str, list[float]] = {}

    def measure(label: str, orders: dict[str, bytes], per_order: int = 1) -> None:
        took = runners.ours.run_body(batch(orders), len(orders))[1]
        rates.setdefault(label, []).append(len(orders) * per_order / took)

    for number in range(size.rounds):
        tell(f"shapes, round {number + 1} of {size.rounds}")
        # Far above the automatic numbers, and none twice.
        own = (number + 1) * 100_000_000
        # Another one first each time: what comes first meets servers that have just done something else.
        for shape in (*SHAPES[number:], *SHAPES[:number]):
            measure(f"{_SHAPE}{shape}", make(shape, size.shaped, seed=seeds(), first_number=own))
        for lines in ORDER_LINES:
            orders = make(SHAPES[0], max(1, size.shaped // lines), seed=seeds(), lines=lines)
            measure(f"orders of so many lines: {lines:,}", orders, per_order=lines)
    medians = {
        label: results.add(label, "orders/s" if label.startswith(_SHAPE) else "lines/s", values).median
        for label, values in rates.items()
    }
    first = medians[f"{_SHAPE}{SHAPES[0]}"]
    results.goals += [
        Goal(f"{shape}, × {SHAPES[0]}", medians[f"{_SHAPE}{shape}"] / first, 0.85) for shape in SHAPES[1:]
    ]


def single_orders(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """Batches of one order: one client's median wait, and 32 clients' orders a second."""
    waits: dict[str, list[float]] = {"direct": [], "ordermill": []}
    rates: dict[str, list[float]] = {"direct": [], "ordermill": []}
    rivals: dict[str, OverHttp] = {"direct": runners.direct, "ordermill": runners.ours}
    for number in range(size.rounds):
        tell(f"single orders, round {number + 1} of {size.rounds}")
        for name, rival in rivals.items():
            waits[name] += one_after_another(rival, size.singles // size.rounds + 1, 1, seeds)
        for name, rival in rivals.items():
            rates[name].append(many_clients(rival, 32, size.seconds, seeds))
    p50 = {n: results.add(f"batches of 1, one client, p50: {n}", "ms", v).median for n, v in waits.items()}
    rate = {n: results.add(f"batches of 1, 32 clients: {n}", "orders/s", v).median for n, v in rates.items()}
    results.goals += [
        Goal("one client, p50 ÷ direct", p50["ordermill"] / p50["direct"], 2.0, False),
        Goal("32 clients, × direct", rate["ordermill"] / rate["direct"], 1.0),
    ]


def one_after_another(rival: OverHttp, times: int, orders: int, seeds: Seeds) -> list[float]:
    """Milliseconds of each of so many batches, sent one after another by one client."""
    taken = []
    for _ in range(times):
        body = orjson.dumps(make_orders(orders, seeds()))
        started = time.perf_counter()
        rival.post(body)
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def many_clients(rival: OverHttp, clients: int, seconds: float, seeds: Seeds) -> float:
    """Orders a second that so many clients get done, each sending batches of one."""
    lock, done = threading.Lock(), [0]
    # Made beforehand: the clients share these cores with the servers.
    bodies = [[orjson.dumps(make_orders(1, seeds())) for _ in range(200)] for _ in range(clients)]
    deadline = time.perf_counter() + seconds

    def send(mine: list[bytes]) -> None:
        with httpx.Client(base_url=rival.url, timeout=60) as client:
            for body in mine:
                rival.post(body, client)
                with lock:
                    done[0] += 1
                if time.perf_counter() >= deadline:
                    return

    threads = [threading.Thread(target=send, args=(mine,)) for mine in bodies]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done[0] / (time.perf_counter() - started)


def small_beside_big(runners: Runners, size: Size, results: Results, seeds: Seeds, tell: Tell) -> None:
    """Batches of 10 while a big job runs: they must not wait for it."""
    if not size.big_job:
        return
    tell("batches of 10, idle")
    idle = p95(one_after_another(runners.ours, size.tens, 10, seeds))
    results.add("batches of 10, p95, idle", "ms", [idle])
    heavy = size.big_job // 500
    for name, body in (
        (f"{size.big_job:,} orders", orjson.dumps(make_orders(size.big_job, seeds()))),
        (f"{heavy:,} orders of 1,000 lines", batch(make(SHAPES[0], heavy, seed=seeds(), lines=1_000))),
    ):
        tell(f"batches of 10 beside a job of {name}")
        job = runners.ours.post(body, Prefer="respond-async").json()["links"]["self"]
        busy: list[float] = []
        while not runners.ours.client.get(job, headers=runners.ours.headers).json()["done"]:
            busy += one_after_another(runners.ours, 5, 10, seeds)
        beside = results.add(f"batches of 10, p95, beside {name}", "ms", [p95(busy)])
        results.goals.append(
            Goal(f"batches of 10, p95 beside {name} ÷ idle", beside.median / idle, 3.0, False)
        )


def p95(values: list[float]) -> float:
    """The value that one in twenty exceeds."""
    return statistics.quantiles(values, n=20)[-1]
