"""One try at a part: what it had in hand, how long it took, and whose time that was."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from shared.persistence.core.errors import LimitError
from shared.persistence.jobs.slices import TakenSlice
from worker.settle.part import MessagePart, Way
from worker.settle.retry import Tried
from worker.settle.time_limits import Budget

_MOST_OF_IT = 0.5
_BUSY_SHARE = 0.2
"""Of a try's time, from which on it did not just wait; many processes may share one processor."""


class Trial:
    """Begun before the slices are taken."""

    def __init__(self, budget: Budget, *, others_wait: bool) -> None:
        self._budget = budget
        self._others_wait = others_wait
        self._begun, self._begun_busy = budget.spent_seconds, time.process_time()
        self.taken: Sequence[TakenSlice] = ()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._budget.spent_seconds - self._begun

    @property
    def _busy(self) -> bool:
        """Whether it worked rather than waited, and had most of the message's time before it."""
        busy_seconds = time.process_time() - self._begun_busy
        had_time = self._begun <= self._budget.seconds * _MOST_OF_IT
        return had_time and busy_seconds >= self.seconds * _BUSY_SHARE

    def after(self, error: BaseException, part: MessagePart) -> MessagePart:
        """The part with what this try waited for locks."""
        waited = self.seconds if isinstance(error, LimitError) else 0.0
        return replace(part, waited_seconds=part.waited_seconds + waited)

    def tried(self, part: MessagePart) -> Tried:
        """What the decision is made from."""
        return Tried(
            slices=len(part.slice_ids),
            orders=sum(one.order_count for one in self.taken),
            apart=part.way in {Way.APART, Way.CUT},
            cut=part.way is Way.CUT,
            atomic=any(one.options.atomic for one in self.taken),
            tries=part.tries,
            others_wait=self._others_wait,
            waited_seconds=part.waited_seconds,
            busy=self._busy,
            spent_seconds=self._budget.spent_seconds,
        )
