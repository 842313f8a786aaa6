"""Whoever follows jobs beside their clients: as a stream, by waiting for changes, and in the list."""

from __future__ import annotations

import http
import json
import random
import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import httpx

from tests.faults.journal import Followed
from tests.faults.told import told_of
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.faults.journal import Journal, Sent

_LATEST: Final = 20
_TURNS_MOST: Final = 12
_PAUSE_SECONDS: Final = 0.2
# A stream has a comment every 15 seconds.
_LIMIT_SECONDS: Final = 20.0
_AWAY: Final = (http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True)
class Event:
    """A server-sent event."""

    name: str
    id: str
    data: str


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream that have data."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line:
            if "data" in fields:
                yield Event(fields.get("event", ""), fields.get("id", ""), fields["data"])
            fields = {}


class Follower(threading.Thread):
    """Follows one job after the other until told to stop."""

    def __init__(self, number: int, seed: int, api: tuple[str, str], journal: Journal) -> None:
        super().__init__(name=f"follower-{number}", daemon=True)
        self.over = threading.Event()
        self._chance = random.Random(f"{seed}/follower-{number}")  # noqa: S311 - a run must be repeatable
        self._url, self._key = api
        self._journal = journal
        self._listed: dict[str, Followed] = {}

    def run(self) -> None:
        """Follow."""
        headers = {"API-Authorization": self._key}
        with httpx.Client(
            base_url=self._url, headers=headers, timeout=_LIMIT_SECONDS, trust_env=False
        ) as client:
            while not self.over.wait(_PAUSE_SECONDS):
                try:
                    self._follow_one(client)
                except httpx.TransportError:
                    # What is away is asked again.
                    continue

    def _follow_one(self, client: httpx.Client) -> None:
        if self._chance.random() < 0.2:
            self._list(client)
            return
        jobs = [sent for sent in self._journal.sent[-_LATEST:] if sent.answers]
        if not jobs:
            return
        sent = self._chance.choice([one for one in jobs if not one.done] or jobs)
        followed = Followed(sent, self._chance.choice(("stream", "wait")))
        self._journal.follow(followed)
        (self._stream if followed.how == "stream" else self._wait)(client, followed)

    def _stream(self, client: httpx.Client, followed: Followed) -> None:
        """Read events until the job is done, and where the stream ends before that go on behind its last."""
        last = ""
        for _ in range(_TURNS_MOST):
            headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
            try:
                with client.stream("GET", followed.sent.job_path, headers=headers) as answer:
                    if self._is_over(followed, answer.status_code):
                        return
                    for event in events_of(answer.iter_lines()):
                        told = told_of(json.loads(event.data), "event", event.id)
                        followed.told.append(told)
                        last = event.id
                        if told.done != (event.name == "done"):
                            self._journal.accuse("the last event is done", f"{followed.sent.name}: {event}")
            except httpx.TransportError:
                pause(_PAUSE_SECONDS, "a pace")
            if self.over.is_set():
                return

    def _wait(self, client: httpx.Client, followed: Followed) -> None:
        """Wait for one change after the other."""
        tag = ""
        for _ in range(_TURNS_MOST):
            headers = {"Prefer": f"wait={self._chance.choice((0, 1, 5))}"}
            if tag:
                headers["If-None-Match"] = tag
            answer = client.get(followed.sent.job_path, headers=headers)
            if answer.status_code == http.HTTPStatus.NOT_MODIFIED and tag:
                continue
            if self._is_over(followed, answer.status_code):
                return
            if answer.status_code == http.HTTPStatus.OK:
                tag = answer.headers["ETag"]
                followed.told.append(told_of(answer.json(), "wait", tag))
                if followed.told[-1].done:
                    return
            else:
                pause(_PAUSE_SECONDS, "a pace")

    def _is_over(self, followed: Followed, status: int) -> bool:
        """Whether there is no more to be told; accuses where that should not be."""
        if status in (http.HTTPStatus.OK, *_AWAY):
            return False
        told = followed.told
        ended = status == http.HTTPStatus.NO_CONTENT and bool(told) and told[-1].done
        if not ended and not (status == http.HTTPStatus.GONE and followed.sent.delete_asked):
            self._journal.accuse("an accepted job can be followed", f"{followed.sent.name}: {status}")
        return True

    def _list(self, client: httpx.Client) -> None:
        """See all jobs that are new in the list, newest first."""
        answer = client.get("/v1/jobs", params={"limit": 50})
        if answer.status_code != http.HTTPStatus.OK:
            if answer.status_code not in _AWAY:
                self._journal.accuse("jobs can be listed", f"{answer.status_code} {answer.text[:60]!r}")
            return
        jobs = answer.json()["jobs"]
        if any(before["id"] <= after["id"] for before, after in pairwise(jobs)):
            self._journal.accuse("jobs are listed newest first", f"{[job['id'] for job in jobs]}")
        by_path = {f"/v1/jobs/{job['id']}": job for job in jobs}
        for sent in self._known(by_path.keys()):
            followed = self._listed.get(sent.job_path)
            if followed is None:
                followed = self._listed[sent.job_path] = Followed(sent, "list")
                self._journal.follow(followed)
            followed.told.append(told_of(by_path[sent.job_path], "list"))

    def _known(self, paths: Iterable[str]) -> list[Sent]:
        wanted = frozenset(paths)
        return [sent for sent in tuple(self._journal.sent) if sent.job_path in wanted]
