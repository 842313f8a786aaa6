"""A client that cancels and retries its jobs while they are decided, and looks at every answer on the way.

Whatever races with whatever: what a job tells adds up in each answer and never runs backwards, an outcome
that was told stays as it is, and of a job that is cancelled nothing more is decided than was in hand.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import orjson

from tests.support.orders import line, order
from tests.support.until import pause, until

if TYPE_CHECKING:
    import httpx
    from flask import Flask

_DONE_SECONDS = 90
_RETRIES_MOST = 3
_COUNTS = ("ok", "failed", "cancelled")


@dataclass(frozen=True)
class Answered:
    """A response: its status, the JSON that it is, and where it says the job is."""

    status: int
    told: dict[str, Any]
    location: str = ""


class Ask(Protocol):
    """Sends a request with a client's key; ``body`` as JSON."""

    def __call__(self, method: str, path: str, body: Any = None) -> Answered:
        """Give the answer."""


def asking_app(app: Flask, key: str) -> Ask:
    """Ask an API in this process; from any thread."""

    def ask(method: str, path: str, body: Any = None) -> Answered:
        data = None if body is None else orjson.dumps(body)
        response = app.test_client().open(path, method=method, data=data, headers=_headers(key))
        return Answered(response.status_code, response.json or {}, response.headers.get("Location", ""))

    return ask


def asking_server(client: httpx.Client) -> Ask:
    """Ask an API that is a process, with the key that the client has."""

    def ask(method: str, path: str, body: Any = None) -> Answered:
        content = None if body is None else orjson.dumps(body)
        response = client.request(method, path, content=content, headers=_headers(""))
        return Answered(response.status_code, response.json(), response.headers.get("Location", ""))

    return ask


def _headers(key: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Prefer": "respond-async",
        "Idempotency-Key": str(uuid4()),
    }
    return {**headers, "API-Authorization": key} if key else headers


@dataclass
class SeenJob:
    """What one job has told so far. Its answers must be given in the order in which they came."""

    path: str
    latest: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[str, Any] = field(default_factory=dict)
    most_decided: int | None = None
    """How much may have been decided in the end, once it was told to be cancelled."""

    def saw(self, job: dict[str, Any], *, cancelled: bool = False) -> None:
        """Check an answer against all that came before it."""
        assert job["pending"] + sum(job[name] for name in _COUNTS) == job["total"], job
        assert sum(job["codes"].values()) == job["failed"], job
        # Between its last slice and its last word all is decided, and it is not done.
        assert job["pending"] == 0 or not job["done"], job
        for name in _COUNTS if self.latest else ():
            assert job[name] >= self.latest[name], (self.latest, job)
        if self.latest.get("done"):
            assert job | {"retries": []} == self.latest | {"retries": []}
        decided = job["ok"] + job["failed"]
        if cancelled and self.most_decided is None:
            self.most_decided = decided + job["pending"]
        assert self.most_decided is None or decided <= self.most_decided, (self.most_decided, job)
        self.latest = job

    def saw_outcomes(self, outcomes: dict[str, Any]) -> None:
        """Check outcomes against those that were told before."""
        for key, outcome in self.outcomes.items():
            assert outcomes[key] == outcome, (key, outcome, outcomes[key])
        self.outcomes = outcomes


@dataclass
class Customer:
    """Sends batches, cancels and retries them, from several threads; a chain is a job and its retries."""

    ask: Ask
    seed: int
    chains: list[list[SeenJob]] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Begin with dice of its own."""
        self._chance = random.Random(self.seed)  # noqa: S311 - the same choices every time

    def send(self, orders: int) -> None:
        """Send a batch of which a quarter is short of stock, and see it and its retries through."""
        short = order(line("RED-STOOL", 4_000))
        batch = {
            f"{self.seed}-{len(self.chains)}-{n}": short if n % 4 == 0 else order() for n in range(orders)
        }
        accepted = self.ask("POST", "/v1/orders", batch)
        assert accepted.status == 202, accepted
        chain = [SeenJob(accepted.location)]
        chain[0].saw(accepted.told)
        self.chains.append(chain)
        self._follow(chain[0])
        for _ in range(_RETRIES_MOST):
            retries = [SeenJob(path) for path in self._retry(chain[-1].path)]
            if not retries:
                return
            for one in retries:
                self._follow(one)
            # The other had its keys only if this one had let go of them.
            first, last = sorted((retries[0], retries[-1]), key=lambda one: one.latest["createdAt"])
            assert first is last or first.latest["finishedAt"] <= last.latest["createdAt"]
            chain += retries

    def _follow(self, job: SeenJob) -> None:
        """Look at a job until it is done, while two others may cancel it."""
        cancelled = self._chance.random() < 0.7
        later = self._chance.uniform(0, 0.3)
        answers: list[dict[str, Any]] = []
        lock = threading.Lock()

        def cancel() -> None:
            pause(later, "some of it is decided meanwhile")
            answer = self.ask("POST", f"{job.path}/cancel")
            assert answer.status == 200, answer
            with lock:
                answers.append(answer.told)

        def done() -> bool:
            with lock:
                told = answers.copy()
                answers.clear()
            # Asked for after the cancellations were answered.
            latest = self.ask("GET", job.path).told
            for one in told:
                if sum(one[name] for name in _COUNTS) >= sum(job.latest[name] for name in _COUNTS):
                    job.saw(one, cancelled=True)
            job.saw(latest)
            job.saw_outcomes(self.ask("GET", f"{job.path}/results").told)
            return bool(latest["done"])

        job.latest = self.ask("GET", job.path).told
        with ThreadPoolExecutor(2) as pool:
            cancelling = [pool.submit(cancel) for _ in range(2 if cancelled else 0)]
            until(done, f"{job.path} is done", _DONE_SECONDS, look_seconds=0.02)
            for one in cancelling:
                one.result()
        done()
        assert len(job.outcomes) == job.latest["total"]
        self.statuses[job.latest["state"]] += 1

    def _retry(self, path: str) -> list[str]:
        """Retry a job twice at once; where those are that were accepted."""
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: self.ask("POST", f"{path}/retry", {}), range(2)))
        assert {one.status for one in answers} <= {202, 409}, answers
        accepted = [one.location for one in answers if one.status == 202]
        self.statuses[f"{len(accepted)} of two retries"] += 1
        return accepted

    def made(self) -> Counter[str]:
        """How often each key was made, over all jobs that tried it, as their outcomes tell."""
        return Counter(
            key
            for chain in self.chains
            for job in chain
            for key, outcome in job.outcomes.items()
            if outcome["status"] == "ok"
        )
