"""What a worker process has at hand: made once, after the fork, and passed to the use cases."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from shared.domain.catalog import Reference
from shared.job_events import JobEvents
from shared.persistence.catalog_read import read_reference
from shared.persistence.database import open_database
from shared.schemas.completion import CompletionReader
from shared.schemas.reading import OrderReader
from shared.settings import Settings


@dataclass
class Workshop:
    """The database, the events, the readers, and the catalog's small tables as last read."""

    settings: Settings
    engine: Engine
    events: JobEvents
    _readers: dict[bool, OrderReader] = field(default_factory=dict)
    _reference: Reference | None = None

    def reader(self, *, strict: bool) -> OrderReader:
        """The reader of orders; ``strict`` refuses unknown members."""
        if strict not in self._readers:
            self._readers[strict] = OrderReader(
                zone=ZoneInfo(self.settings.organisation_timezone),
                max_lines=self.settings.max_lines,
                strict=strict,
            )
        return self._readers[strict]

    def completion_reader(self, *, strict: bool) -> CompletionReader:
        """The reader of completions; ``strict`` refuses unknown members."""
        return CompletionReader(
            zone=ZoneInfo(self.settings.organisation_timezone),
            max_lines=self.settings.max_lines,
            strict=strict,
        )

    def reference(self, connection: Connection, version: int) -> Reference:
        """The catalog's small tables, read again only when their version has changed."""
        if self._reference is None or self._reference.version != version:
            self._reference = read_reference(connection)
        return self._reference


def open_workshop(settings: Settings) -> Workshop:
    """Set up this process's workshop."""
    return Workshop(settings, open_database(settings, "worker"), JobEvents(settings))


class LazyWorkshop:
    """Opens the workshop at the first task, which is after the fork: connections do not survive one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._workshop: Workshop | None = None

    def __call__(self) -> Workshop:
        """The workshop of this process."""
        with self._lock:
            if self._workshop is None:
                self._workshop = open_workshop(self._settings)
            return self._workshop
