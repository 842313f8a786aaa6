"""Followers: all who follow jobs in this process cost one reading of a job for each of its changes."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from api.jobs.versions import version_of
from shared.persistence.core.errors import PersistenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from api.jobs.versions import JobVersion
    from shared.domain.job import Job
    from shared.events import Hearer

# How long a lost event may go unnoticed.
_LOOK_SECONDS: Final = 1.0
# A large job closes hundreds of slices a second, and nobody can see more changes than this.
_PAUSE_SECONDS: Final = 0.2

_log = structlog.get_logger(__name__)


class JobEventSource(Protocol):
    """Tells of closed slices, perhaps late, twice or not at all."""

    def add(self, job_id: UUID, hearer: Hearer) -> None:
        """Tell of a job's slices from now on."""

    def remove(self, job_id: UUID, hearer: Hearer) -> None:
        """Tell no more."""


class FollowedJob:
    """A job that somebody follows: its latest version, for whoever waits for another one."""

    def __init__(self, version: JobVersion, on_news: Callable[[], None]) -> None:
        self._changed = threading.Condition()
        self._version: JobVersion | None = version
        self._on_news = on_news
        self._has_news = False
        self._read_at = time.monotonic()
        self.followers = 0

    def heard(self, slice_number: int) -> None:  # noqa: ARG002 - whichever it is, the job has changed
        """A slice was closed: the job is to be read soon."""
        self.look()

    def look(self) -> None:
        """Events may have been missed."""
        self._has_news = True
        self._on_news()

    def read_at(self) -> float:
        """When it is to be read next, by the monotonic clock."""
        return self._read_at + (_PAUSE_SECONDS if self._has_news else _LOOK_SECONDS)

    def begin_reading(self) -> None:
        """What is heard from now on is not in what is read."""
        self._has_news = False
        self._read_at = time.monotonic()

    def publish(self, version: JobVersion | None) -> None:
        """Tell a version, or None of a job that is no more; not one that was read before what is there."""
        with self._changed:
            if version is None or self._version is None or version.may_follow(self._version):
                self._version = version
                self._changed.notify_all()

    def other_than(self, is_known: Callable[[JobVersion], bool], limit_seconds: float) -> JobVersion | None:
        """Wait so long for a version that is not known, and give the latest; None when the job is no more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._version is None or not is_known(self._version), limit_seconds
            )
            return self._version


class Followers:
    """The jobs that are followed in this process, and the thread that reads them while there are any."""

    def __init__(self, events: JobEventSource, read: Callable[[UUID], Job | None]) -> None:
        self._events = events
        self._read = read
        self._news = threading.Condition()
        self._jobs: dict[UUID, FollowedJob] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def following(self, version: JobVersion) -> Iterator[FollowedJob]:
        """Follow a job from a version of it on that has just been read."""
        job_id = version.job.id
        followed = self._join(job_id, version)
        try:
            yield followed
        finally:
            self._leave(job_id, followed)

    def _join(self, job_id: UUID, version: JobVersion) -> FollowedJob:
        with self._news:
            followed = self._jobs.get(job_id)
            if followed is None:
                followed = self._jobs[job_id] = FollowedJob(version, self._wake)
                # What happened since it was read has passed by.
                followed.look()
                self._events.add(job_id, followed)
            followed.followers += 1
            if self._thread is None or not self._thread.is_alive():
                # A daemon: it holds nothing that would have to be given back at the end of the process.
                self._thread = threading.Thread(target=self._read_all, name="job-followers", daemon=True)
                self._thread.start()
        followed.publish(version)
        return followed

    def _leave(self, job_id: UUID, followed: FollowedJob) -> None:
        with self._news:
            followed.followers -= 1
            if not followed.followers:
                self._events.remove(job_id, followed)
                del self._jobs[job_id]
                self._news.notify_all()

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    def _read_all(self) -> None:
        while (due := self._due()) is not None:
            for job_id, followed in due:
                followed.begin_reading()
                try:
                    job = self._read(job_id)
                except PersistenceError as error:
                    # Deliberately no more than a log line: it is read again in a second.
                    _log.warning("followed_job_not_read", job_id=str(job_id), fault=str(error))
                    continue
                followed.publish(None if job is None or job.deleted_at is not None else version_of(job))

    def _due(self) -> list[tuple[UUID, FollowedJob]] | None:
        """Wait until jobs are to be read; None when nobody follows any more."""
        with self._news:
            while self._jobs:
                now = time.monotonic()
                due = [
                    (job_id, followed) for job_id, followed in self._jobs.items() if followed.read_at() <= now
                ]
                if due:
                    return due
                self._news.wait(min(followed.read_at() for followed in self._jobs.values()) - now)
            self._thread = None
            return None
