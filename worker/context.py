"""Worker context: what a worker process has at hand, made once after the fork and passed along."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from shared.client_rate import ClientRate
from shared.domain.catalog import CatalogIndex
from shared.events import JobEvents
from shared.persistence.catalog.read import read_catalog_index
from shared.persistence.core.database import open_database
from shared.persistence.jobs.attempts import Attempt
from shared.queue.job_queue import JobQueue
from shared.schemas.order.completion import CompletionReader
from shared.schemas.order.reading import OrderReader
from shared.settings import Settings
from worker.preemption import Preemption
from worker.settle.known_items import KnownItems
from worker.settle.time_limits import OrderClock


@dataclass
class WorkerContext:
    """The database, the events, the readers, and the catalog's small tables as last read."""

    settings: Settings
    engine: Engine
    events: JobEvents
    queue: JobQueue | None = None
    """Where confirmations are announced, and large slices put back; None: the sweeper finds them."""
    attempts_owed: deque[Attempt] = field(default_factory=deque)
    """Attempts that ended nobody, and that a lost database kept from being given back."""
    known_items: KnownItems = field(default_factory=KnownItems)
    """What orders have named of the catalog."""
    _readers: dict[bool, OrderReader] = field(default_factory=dict)
    _completion_readers: dict[tuple[bool, bool], CompletionReader] = field(default_factory=dict)
    _catalog: CatalogIndex | None = None

    @cached_property
    def preemption(self) -> Preemption:
        """Which queues of small batches large ones yield to at present."""
        return Preemption(self.queue)

    @cached_property
    def client_rate(self) -> ClientRate:
        """Where voucher codes that do not exist count against whoever sent them."""
        return ClientRate(self.settings)

    @cached_property
    def order_clock(self) -> OrderClock:
        """What bounds the time for one order."""
        return OrderClock(self.settings.order_limit_seconds)

    def reader(self, *, strict: bool) -> OrderReader:
        """The reader of orders; ``strict`` refuses unknown members."""
        if strict not in self._readers:
            self._readers[strict] = OrderReader(
                zone=ZoneInfo(self.settings.organisation_timezone),
                max_lines=self.settings.max_lines,
                strict=strict,
            )
        return self._readers[strict]

    def completion_reader(self, *, strict: bool, named: bool) -> CompletionReader:
        """The reader of completions; ``strict`` refuses unknown members, ``named`` ones name their order."""
        if (strict, named) not in self._completion_readers:
            self._completion_readers[strict, named] = CompletionReader(
                zone=ZoneInfo(self.settings.organisation_timezone), strict=strict, named=named
            )
        return self._completion_readers[strict, named]

    def catalog(self, connection: Connection, version: int) -> CatalogIndex:
        """The catalog's index, read again only when its version has changed."""
        if self._catalog is None or self._catalog.version != version:
            self._catalog = read_catalog_index(connection)
        return self._catalog


def open_worker_context(settings: Settings) -> WorkerContext:
    """Set up what this process has at hand."""
    return WorkerContext(
        settings,
        open_database(settings, "worker", needs_schema=True),
        JobEvents(settings),
        JobQueue(settings),
    )


Opened = TypeVar("Opened")


class Lazy(Generic[Opened]):
    """Opens something at its first use, which is after the fork: connections do not survive one."""

    def __init__(self, open_it: Callable[[], Opened]) -> None:
        self._open = open_it
        self._lock = threading.Lock()
        self._opened: Opened | None = None

    def __call__(self) -> Opened:
        """The one of this process."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened
