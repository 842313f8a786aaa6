"""Time limits: one for a message, by the clock on the wall, and one for an order, by the processor's.

Both end what runs by raising in it, from a signal's handler: so they hold in Python's main thread alone,
which is where a worker process settles. Elsewhere only the database's own limits hold.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType

from shared.persistence.jobs.slices import Limits
from shared.settings import Settings

_MESSAGE_SHARE = 0.75
"""Of the task's limit; the rest is for giving back attempts and for cutting up what took too long."""

_TICK_SECONDS = 1.0
_LEAST_MS = 50
_TICKS_MAX = 3


class TimeUpError(BaseException):
    """The message's time is over. No Exception: nothing between here and whoever set it may stop it."""


class OrderTooSlowError(BaseException):
    """One order has had the processor for too long."""


class Budget:
    """The time that one message has, for all of its slices and all of their tries."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._begun = clock()
        self.seconds = settings.task_limit_seconds * _MESSAGE_SHARE

    @property
    def spent_seconds(self) -> float:
        """Since the message was begun."""
        return self._clock() - self._begun

    @property
    def left_seconds(self) -> float:
        """What is left; not less than nothing."""
        return max(0.0, self.seconds - self.spent_seconds)

    def limits(self, *, slices: int, others_wait: bool) -> Limits:
        """What a try may wait: never longer than what is left, and the shorter the more wait for it.

        A lock that several slices wait for may be wanted by one of them alone, and the others of a message
        should not wait for it either.
        """
        share = 0.1 if others_wait else 0.25 if slices > 1 else 1.0
        left_ms = int(self.left_seconds * 1000)
        lock_ms = min(int(self._settings.lock_limit_seconds * 1000 * share), left_ms // 2)
        statement_ms = min(self._settings.statement_limit_seconds * 1000, left_ms)
        return Limits(max(lock_ms, _LEAST_MS), max(statement_ms, 2 * _LEAST_MS))


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class Alarm:
    """Raises TimeUpError in its block once the time is up, whatever is waited for there.

    Inside a commit too: the slice is then found closed or not by whoever takes it next, as after a
    connection that was lost. What comes after the block must be safe to be skipped.
    """

    def __init__(self, seconds: float) -> None:
        # Nothing at all would switch the timer off.
        self._seconds = max(seconds, _TICK_SECONDS)
        self._armed = False
        self._rang = False

    def __enter__(self) -> None:
        """Begin; outside the main thread nothing happens."""
        if _in_main_thread():
            signal.signal(signal.SIGALRM, self._tick)
            self._armed = True
            # Again and again: cleaning up after the first may wait for the same server that does not answer.
            signal.setitimer(signal.ITIMER_REAL, self._seconds, _TICK_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; a tick that comes late raises nothing."""
        if self._armed:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def cause_of(self, error: BaseException) -> BaseException:
        """Why the block ended: its time, once that was up, whatever cleaning up after that has met."""
        return TimeUpError() if self._rang else error

    def _tick(self, *_: object) -> None:
        if self._armed:
            self._rang = True
            raise TimeUpError


class OrderClock:
    """Raises OrderTooSlowError in an order that takes more of the processor's time than it may.

    The processor's, not the wall's: a machine that is busy with others, or was stopped for a while, condemns
    nobody. The timer runs for a whole part and ticks rarely, for setting it costs more than a small order's
    line: an order in which it ticks three times has had twice the time between two ticks.
    """

    def __init__(self, limit_seconds: float) -> None:
        self.limit_seconds = limit_seconds
        self._orders = 0
        self._deciding = False
        self._seen, self._ticks = 0, 0

    def start(self) -> None:
        """Begin to watch; before the orders of a part are read."""
        if _in_main_thread():
            signal.signal(signal.SIGPROF, self._tick)
            every = self.limit_seconds / 2
            signal.setitimer(signal.ITIMER_PROF, every, every)

    def stop(self) -> None:
        """No more orders come for the time being."""
        if _in_main_thread():
            signal.setitimer(signal.ITIMER_PROF, 0)

    def __enter__(self) -> None:
        """Begin an order, or the deciding of several: nothing in the block may speak to the database."""
        self._orders += 1
        self._deciding = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._deciding = False

    def _tick(self, *_: object) -> None:
        if not self._deciding:
            return
        if self._seen != self._orders:
            self._seen, self._ticks = self._orders, 0
        self._ticks += 1
        if self._ticks >= _TICKS_MAX:
            raise OrderTooSlowError
