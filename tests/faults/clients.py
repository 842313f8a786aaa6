"""Clients as they should be: patient, careful with answers that were lost, and watchful."""

from __future__ import annotations

import http
import json
import random
import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx

from tests.faults.goods import batch
from tests.faults.journal import Answer, Journal, Sent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_KEYED = 0.6
_LIMIT_SECONDS = 15.0
_OPEN_JOBS_MOST = 6
_SEEN_MOST = 3
# A keyed batch is asked for again until the answer is there; after the last fault it has this long.
PATIENCE_SECONDS = 90.0


class Poison:
    """Poisonous orders that somebody wants to be sent."""

    def __init__(self) -> None:
        self._wanted = threading.Semaphore(0)

    def want(self) -> None:
        """One more."""
        self._wanted.release()

    def take(self) -> bool:
        """Whether the next batch is to be one."""
        return self._wanted.acquire(blocking=False)


class Client(threading.Thread):
    """Sends batches until told to stop, then sees to it that it knows what came of each."""

    def __init__(
        self, number: int, seed: int, door: tuple[str, str], journal: Journal, poison: Poison
    ) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.over = threading.Event()
        """Send nothing new."""
        self._number = number
        self._chance = random.Random(f"{seed}/{number}")  # noqa: S311 - a run must be repeatable
        self._url, self._key = door
        self._journal, self._poison = journal, poison
        self._open: list[Sent] = []
        self._give_up_at = float("inf")

    def run(self) -> None:
        """Send, and look after what was sent."""
        with self._connected() as client:
            for sent in self._batches():
                self._send(client, sent)
                self._look_around(client)

    def _connected(self) -> AbstractContextManager[httpx.Client]:
        headers = {"API-Authorization": self._key, "Content-Type": "application/json"}
        return httpx.Client(base_url=self._url, headers=headers, timeout=_LIMIT_SECONDS, trust_env=False)

    def _batches(self) -> Iterator[Sent]:
        count = 0
        while not self.over.is_set():
            count += 1
            name = f"c{self._number}-{count}"
            wanted = batch(self._chance, name, poisonous=self._poison.take())
            body = json.dumps({key: one.order for key, one in wanted.items()}).encode()
            key = str(UUID(int=self._chance.getrandbits(128))) if self._chance.random() < _KEYED else None
            yield Sent(name, body, wanted, key)
            self.over.wait(self._chance.uniform(0, 0.1))

    def _send(self, client: httpx.Client, sent: Sent) -> None:
        """Send it once; under an Idempotency-Key until there is an answer."""
        self._journal.begin(sent)
        while not self._try(client, sent) and sent.idempotency_key is not None:
            if self.over.is_set() and self._give_up_at == float("inf"):
                self._give_up_at = time.monotonic() + PATIENCE_SECONDS
            if time.monotonic() > self._give_up_at:
                self._journal.accuse("a repeated request is answered", f"{sent.name} never was")
                return
            time.sleep(self._chance.uniform(0.1, 0.5))

    def _try(self, client: httpx.Client, sent: Sent) -> bool:
        sent.request_ids.append(f"{sent.name}.{len(sent.request_ids)}")
        headers = {"X-Request-ID": sent.request_ids[-1]}
        if sent.idempotency_key is not None:
            headers["Idempotency-Key"] = sent.idempotency_key
        self._journal.note("invoke", sent, request=sent.request_ids[-1])
        try:
            answer = client.post("/v1/orders", content=sent.body, headers=headers)
        except httpx.TransportError as error:
            sent.unknown += 1
            self._journal.note("lost", sent, fault=type(error).__name__)
            return False
        location = answer.headers.get("Location", "")
        self._journal.note("answer", sent, status=answer.status_code, job=location)
        if answer.status_code in (http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED):
            self._accepted(sent, Answer(answer.status_code, location, answer.content))
            return True
        if answer.status_code == http.HTTPStatus.SERVICE_UNAVAILABLE:
            # With a job's place it says that it does not know itself.
            sent.unknown += bool(location)
            sent.refused += not location
        else:
            self._journal.accuse(
                "a good batch is accepted, or told to come again",
                f"{sent.name}: {answer.status_code} {answer.text[:200]}",
            )
            sent.unknown += 1
        return False

    def _accepted(self, sent: Sent, answer: Answer) -> None:
        sent.answers.append(answer)
        if answer.status == http.HTTPStatus.ACCEPTED:
            self._open.append(sent)

    def _look_around(self, client: httpx.Client) -> None:
        """Look at one of the jobs that run, and wait while there are too many of them."""
        while self._open:
            sent = self._chance.choice(self._open)
            try:
                self._look_at(client, sent)
            except httpx.TransportError:
                time.sleep(0.1)
            if len(self._open) < _OPEN_JOBS_MOST or self.over.wait(0.1):
                return

    def _look_at(self, client: httpx.Client, sent: Sent) -> None:
        answer = client.get(sent.job_path)
        if answer.status_code == http.HTTPStatus.SERVICE_UNAVAILABLE:
            return
        if answer.status_code != http.HTTPStatus.OK:
            self._journal.accuse("an accepted job is there", f"{sent.name}: {answer.status_code}")
            self._open.remove(sent)
            return
        job: dict[str, Any] = answer.json()
        decided = job["ok"] + job["failed"] + job["cancelled"]
        if decided + job["pending"] != job["total"] or job["total"] != len(sent.wanted):
            self._journal.accuse("a job's counts add up", f"{sent.name}: {job}")
        if decided < sent.decided:
            self._journal.accuse("a job never runs backwards", f"{sent.name}: {job}, {sent.decided} before")
        sent.decided = max(sent.decided, decided)
        if job["done"]:
            sent.done = True
            self._open.remove(sent)
        elif len(sent.seen) < _SEEN_MOST:
            results = client.get(f"{sent.job_path}/results")
            if results.status_code == http.HTTPStatus.OK:
                sent.seen.append(results.content)
