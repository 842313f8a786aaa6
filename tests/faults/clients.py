"""Clients as they should be: patient, careful with answers that were lost, and watchful."""

from __future__ import annotations

import http
import json
import random
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import httpx

from tests.faults.goods import OK, Wanted, batch, body_of
from tests.faults.journal import COMPLETIONS, Answer, Journal, Sent
from tests.faults.told import told_of
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_KEYED = 0.6
_LIMIT_SECONDS = 15.0
_OPEN_JOBS_MOST = 6
_SEEN_MOST = 3
_COMPLETED_MOST = 2


class Poison:
    """Poisonous orders that somebody wants to be sent."""

    def __init__(self) -> None:
        self._wanted = threading.Semaphore(0)

    def want(self) -> None:
        """One more."""
        self._wanted.release()

    def acquire(self) -> bool:
        """Whether the next batch is to be one."""
        return self._wanted.acquire(blocking=False)


class Client(threading.Thread):
    """Sends batches until told to stop, then sees to it that it knows what came of each."""

    letter: ClassVar = "c"
    """What the names of its batches begin with."""

    def __init__(
        self,
        number: int,
        seed: int,
        api: tuple[str, str],
        journal: Journal,
        poison: Poison,
        *,
        completes: bool,
        spells: bool,
    ) -> None:
        super().__init__(name=f"client-{self.letter}{number}", daemon=True)
        self._over = threading.Event()
        self._number, self._seed = number, seed
        self._chance = random.Random(f"{seed}/{number}")  # noqa: S311 - a run must be repeatable
        self._url, self._key = api
        self._journal, self._poison = journal, poison
        self._completes, self._spells = completes, spells
        self._open: list[Sent] = []
        self._give_up_at = float("inf")

    def stop(self, limit_seconds: float) -> None:
        """Have it send nothing new, and give up after so long what it does not know by then."""
        self._give_up_at = time.monotonic() + limit_seconds
        self._over.set()

    def run(self) -> None:
        """Send, and look after what was sent."""
        with self._connected() as client:
            for sent in self._batches():
                self._send(client, sent)
                self._look_around(client)
            while self._open and time.monotonic() < self._give_up_at:
                self._look_at_one(client)
                pause(0.05, "a pace")

    def _connected(self) -> AbstractContextManager[httpx.Client]:
        headers = {"API-Authorization": self._key, "Content-Type": "application/json"}
        return httpx.Client(base_url=self._url, headers=headers, timeout=_LIMIT_SECONDS, trust_env=False)

    def _batches(self) -> Iterator[Sent]:
        count = 0
        while not self._over.is_set():
            count += 1
            yield self._batch(f"{self.letter}{self._number}-{count}")
            self._over.wait(self._chance.uniform(0, 0.1))

    def _batch(self, name: str) -> Sent:
        wanted = batch(self._chance, name, poisonous=self._poison.acquire(), spells=self._spells)
        body = body_of(wanted)
        return Sent(name, body, wanted, self._new_key() if self._chance.random() < _KEYED else None)

    def _new_key(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128)))

    def _send(self, client: httpx.Client, sent: Sent) -> None:
        """Send it once; under an Idempotency-Key until there is an answer."""
        self._journal.begin(sent)
        while not self._try(client, sent) and sent.idempotency_key is not None:
            if time.monotonic() > self._give_up_at:
                self._journal.accuse("a repeated request is answered", f"{sent.name} never was")
                return
            pause(self._chance.uniform(0.1, 0.5), "a pace")

    def _try(self, client: httpx.Client, sent: Sent) -> bool:
        sent.request_ids.append(f"{sent.name}.{len(sent.request_ids)}")
        headers = {"X-Request-ID": sent.request_ids[-1]}
        if sent.idempotency_key is not None:
            headers["Idempotency-Key"] = sent.idempotency_key
        if sent.prefer:
            headers["Prefer"] = sent.prefer
        self._journal.note("invoke", sent, request=sent.request_ids[-1])
        try:
            answer = client.post(sent.path, content=sent.body, headers=headers)
        except httpx.TransportError as error:
            sent.unknown += 1
            self._journal.note("lost", sent, fault=type(error).__name__)
            return False
        location = answer.headers.get("Location", "")
        self._journal.note("answer", sent, status=answer.status_code, job=location)
        if answer.status_code in (http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED):
            self._accepted(client, sent, Answer(answer.status_code, location, answer.content))
            return True
        if answer.status_code == http.HTTPStatus.SERVICE_UNAVAILABLE:
            # With a job's place it says that it does not know itself.
            sent.unknown += bool(location)
            sent.refused += not location
            return False
        return self._refused(sent, answer)

    def _refused(self, sent: Sent, answer: httpx.Response) -> bool:
        """What is not accepted, though nothing is away; whether that is the last word."""
        self._journal.accuse(
            "a good batch is accepted, or told to come again",
            f"{sent.name}: {answer.status_code} {answer.text[:60]!r}",
        )
        sent.unknown += 1
        return False

    def _accepted(self, client: httpx.Client, sent: Sent, answer: Answer) -> None:
        sent.answers.append(answer)
        if answer.status == http.HTTPStatus.ACCEPTED:
            self._open.append(sent)
            return
        sent.finish()
        self._ended(client, sent, answer.body)

    def _ended(self, client: httpx.Client, sent: Sent, outcomes: bytes) -> None:
        """All its outcomes have been read for the first time."""
        sent.final = outcomes
        if sent.is_keyed:
            self._complete(client, sent, outcomes)

    def _look_around(self, client: httpx.Client) -> None:
        """Look at one of the jobs that run, and wait while there are too many of them."""
        while self._open:
            self._look_at_one(client)
            if len(self._open) < _OPEN_JOBS_MOST or self._over.wait(0.1):
                return

    def _look_at_one(self, client: httpx.Client) -> None:
        sent = self._chance.choice(self._open)
        try:
            self._look_at(client, sent)
        except httpx.TransportError:
            pause(0.1, "what is away is asked again")

    def _look_at(self, client: httpx.Client, sent: Sent) -> None:
        answer = client.get(sent.job_path)
        if answer.status_code == http.HTTPStatus.SERVICE_UNAVAILABLE:
            return
        if answer.status_code != http.HTTPStatus.OK:
            self._journal.accuse("an accepted job is there", f"{sent.name}: {answer.status_code}")
            self._open.remove(sent)
            return
        job: dict[str, Any] = answer.json()
        sent.told.append(told_of(job, "read"))
        if job["done"]:
            sent.finish()
        elif len(sent.seen) >= _SEEN_MOST:
            return
        results = client.get(f"{sent.job_path}/results")
        if results.status_code == http.HTTPStatus.OK:
            sent.seen.append(results.content)
            if job["done"]:
                self._open.remove(sent)
                self._ended(client, sent, results.content)

    def _complete(self, client: httpx.Client, sent: Sent, outcomes: bytes) -> None:
        """Complete some of what was prepared; now and then once more, which changes nothing."""
        if not self._completes or b'"order":' not in outcomes:
            return
        prepared = [one["order"] for one in json.loads(outcomes).values() if "order" in one]
        for number in prepared[:_COMPLETED_MOST]:
            for again in range(self._chance.choice((1, 1, 2))):
                body = json.dumps({"comment": f"{again + 1}"}).encode()
                wanted = {str(number): Wanted({}, frozenset({OK}))}
                name = f"{sent.name}!{number}-{again}"
                self._send(client, Sent(name, body, wanted, self._new_key(), f"{COMPLETIONS}{number}"))
