"""Change watch: all who wait for changes of orders in this process cost one look at the feed now and then."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from shared.persistence.core.errors import PersistenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.domain.order_changes import ChangePlace

# A change shows this much later, at most, to whoever waits for it.
_LOOK_SECONDS: Final = 0.5

_log = structlog.get_logger(__name__)


class ChangeWatch:
    """The newest change that may be read, and the thread that looks for it while anybody waits."""

    def __init__(self, read_newest: Callable[[], ChangePlace | None]) -> None:
        self._read_newest = read_newest
        self._changed = threading.Condition()
        self._newest: ChangePlace | None = None
        self._waiting_count = 0
        self._thread: threading.Thread | None = None

    def waiting_count(self) -> int:
        """How many wait."""
        with self._changed:
            return self._waiting_count

    def wait_beyond(self, place: ChangePlace, limit_seconds: float) -> bool:
        """Wait so long for a change behind this place; whether there is one."""
        with self._waiting():
            return self._changed.wait_for(
                lambda: self._newest is not None and self._newest > place, limit_seconds
            )

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Count among those who wait, with the lock held."""
        with self._changed:
            self._waiting_count += 1
            if self._thread is None or not self._thread.is_alive():
                # A daemon: it holds nothing that would have to be given back at the end of the process.
                self._thread = threading.Thread(target=self._look_on, name="change-watch", daemon=True)
                self._thread.start()
            try:
                yield
            finally:
                self._waiting_count -= 1
                self._changed.notify_all()

    def _look_on(self) -> None:
        while True:
            newest = self._look()
            with self._changed:
                self._newest = newest
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._waiting_count, _LOOK_SECONDS)
                if not self._waiting_count:
                    self._thread = None
                    return

    def _look(self) -> ChangePlace | None:
        try:
            return self._read_newest()
        except PersistenceError as error:
            # Deliberately no more than a log line: it is looked again, and whoever reads is told.
            _log.warning("changes_not_looked_for", fault=str(error))
            return None
