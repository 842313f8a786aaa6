"""The retry decision: what becomes of slices that could not be settled, as a value.

One rule: what cannot pass is split, from a message into slices, from a slice into orders behind savepoints
or into slices of one order each, until the one that is to blame stands alone. What may pass is tried again
while there is time, or left to the sweeper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from shared.domain.backoff import Backoff
from shared.persistence.core.errors import (
    DatabaseAwayError,
    IdleTooLongError,
    LimitError,
    PersistenceError,
    TransientError,
    UnableError,
)
from shared.settings import Settings
from worker.settle.time_limits import OrderTooSlowError, TimeUpError


@dataclass(frozen=True, slots=True)
class Tried:
    """What was tried, how often, and how it stood when it failed."""

    slices: int
    orders: int
    """0: they were not even taken."""
    apart: bool = False
    """Whether each order was behind a savepoint, or none was read."""
    cut: bool = False
    """Whether the slice was to be cut up, and that failed."""
    atomic: bool = False
    """Whether it is one whose orders are all made or none, so that it cannot be cut up."""
    tries: int = 1
    """This one included."""
    others_wait: bool = False
    """Whether the message has other slices."""
    waited_seconds: float = 0.0
    """What the tries of these slices took that met a lock's limit, this one included."""
    busy: bool = False
    """Whether this try worked rather than waited, and had most of the message's time before it."""
    spent_seconds: float = 0.0
    """Since the message was begun."""

    @property
    def may_be_cut_up(self) -> bool:
        """Whether slices of one order each can take the slice's place."""
        return self.slices == 1 and self.orders > 1 and not self.cut and not self.atomic


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How long trying again makes sense."""

    tries_max: int
    lock_seconds: float
    """All waits for locks of the same slices together."""
    outage_seconds: float
    """From the beginning of the message, while the database is away."""


def retry_limits(settings: Settings) -> RetryLimits:
    """How long a worker with these settings tries; of a message's time it leaves most to the work itself."""
    return RetryLimits(settings.slice_tries_max, settings.lock_limit_seconds, settings.task_limit_seconds / 3)


@dataclass(frozen=True, slots=True)
class Retry:
    """The same again, after a backoff of about so many seconds, with jitter; or after the other slices.

    ``at_once``: these would meet the same.
    """

    seconds: float
    at_once: bool = False


class Into(Enum):
    """What slices are split into."""

    SLICES = "slices"
    SAVEPOINTS = "savepoints"
    PIECES = "pieces"
    """Slices of one order each, in the slice's place."""


@dataclass(frozen=True, slots=True)
class Split:
    """Smaller parts, each by itself."""

    into: Into


@dataclass(frozen=True, slots=True)
class Leave:
    """Undecided: the sweeper dispatches it again.

    ``counts``: it was an attempt, and too many of them cut the slice up, or give its only order up.
    ``all``: the message's other slices would fare no better.
    """

    reason: str
    counts: bool = False
    all: bool = False


Decision = Retry | Split | Leave

_AWAY = Backoff(first_seconds=0.1, most_seconds=2.0)
_BUSY = Backoff(first_seconds=0.1)


def decide(error: BaseException, tried: Tried, limits: RetryLimits) -> Decision:
    """What becomes of slices that met this. Pure: the same for the same."""
    return next(rule(error, tried, limits) for kind, rule in _RULES if isinstance(error, kind))


def _outage(error: BaseException, tried: Tried, limits: RetryLimits) -> Decision:
    if tried.spent_seconds >= limits.outage_seconds:
        return Leave(str(error), all=True)
    return Retry(_AWAY.after(tried.tries), at_once=True)


def _out_of_time(_: BaseException, tried: Tried, __: RetryLimits) -> Decision:
    """The message's time was up in the middle of it."""
    if not tried.busy:
        # It waited for others; that is nobody's fault here.
        return Leave("there is no time left", all=True)
    if tried.may_be_cut_up:
        return Split(Into.PIECES)
    return Leave("it took all of its time", counts=True, all=True)


def _order_too_slow(error: BaseException, tried: Tried, limits: RetryLimits) -> Decision:
    if tried.slices == 1 and not tried.apart:
        return Split(Into.SAVEPOINTS)
    return _slow(error, tried, limits)


def _slow(_: BaseException, tried: Tried, __: RetryLimits) -> Decision:
    """Our own slowness, for which no outage is to blame."""
    if tried.slices > 1:
        return Split(Into.SLICES)
    if tried.may_be_cut_up:
        return Split(Into.PIECES)
    return Leave("it takes too long", counts=True)


def _in_the_way(error: BaseException, tried: Tried, limits: RetryLimits) -> Decision:
    """Somebody else holds what it wants. Whoever wants something else must not wait for that."""
    if tried.slices > 1:
        return Split(Into.SLICES)
    if tried.tries >= limits.tries_max or tried.waited_seconds >= limits.lock_seconds:
        return Leave(str(error))
    return _again(tried)


def _unable(error: BaseException, tried: Tried, _: RetryLimits) -> Decision:
    """It may be what one of them wants that the server cannot do; it will not within moments."""
    return Split(Into.SLICES) if tried.slices > 1 else Leave(str(error))


def _contention(error: BaseException, tried: Tried, limits: RetryLimits) -> Decision:
    return _again(tried) if tried.tries < limits.tries_max else Leave(str(error))


def _again(tried: Tried) -> Retry:
    # After others no pause is needed.
    return Retry(0.0 if tried.others_wait else _BUSY.after(tried.tries))


def _memory(_: BaseException, tried: Tried, __: RetryLimits) -> Decision:
    return Split(Into.SLICES) if tried.slices > 1 else Leave("out of memory", counts=True)


def _permanent(error: BaseException, tried: Tried, _: RetryLimits) -> Decision:
    """A fault of the data, or of ours: it will not pass, but it need not cost others anything."""
    if tried.slices > 1:
        return Split(Into.SLICES)
    if not tried.apart and tried.orders:
        return Split(Into.SAVEPOINTS)
    reason = str(error) if isinstance(error, PersistenceError) else type(error).__name__
    return Leave(reason, counts=True)


Rule = Callable[[BaseException, Tried, RetryLimits], Decision]

_RULES: tuple[tuple[type[BaseException], Rule], ...] = (
    (DatabaseAwayError, _outage),
    (TimeUpError, _out_of_time),
    (OrderTooSlowError, _order_too_slow),
    (IdleTooLongError, _slow),
    (LimitError, _in_the_way),
    (UnableError, _unable),
    (TransientError, _contention),
    (MemoryError, _memory),
    (BaseException, _permanent),
)
"""The first that fits decides: what is more special stands before what it is a kind of."""
