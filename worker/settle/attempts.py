"""The attempts of one message: counted before the work, and given back when it ends in good order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from shared.persistence.core.errors import PersistenceError
from shared.persistence.jobs.attempts import Attempt, TakeLimits, give_back, take_slices
from shared.persistence.jobs.slices import TakenSlice
from worker.context import WorkerContext
from worker.settle.time_limits import Alarm, TimeUpError

log = structlog.get_logger()

_GIVE_BACK_SHARE = 0.15
"""Of the task's limit: less than the message's time leaves. Another worker may hold the row for longer."""


class Attempts:
    """A block in which slices are taken; what it does not settle, or count, is given back at its end."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._open: dict[UUID, Attempt] = {}

    def __enter__(self) -> Self:
        """What a lost database kept from being given back comes first."""
        self._pay()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back, whatever ended the block."""
        self._context.attempts_owed.extend(self._open.values())
        self._pay()

    def take(self, attempt: Attempt) -> list[TakenSlice]:
        """Count an attempt and read its slices. The same once more, as after a lost reply, counts no more."""
        # Where one could not be given back, another worker holds the slice: a second would only count too.
        owing = {slice_id for owed in self._context.attempts_owed for slice_id in owed.slice_ids}
        free = tuple(slice_id for slice_id in attempt.slice_ids if slice_id not in owing)
        if not free:
            return []
        # Before the statement: whether that has counted is not known when its reply is lost.
        before = self._open.get(attempt.token, attempt)
        ids = dict.fromkeys((*before.slice_ids, *free))
        self._open[attempt.token] = replace(attempt, slice_ids=tuple(ids))
        settings = self._context.settings
        limits = TakeLimits(settings.settle_max_bytes, settings.slice_attempts_max)
        return take_slices(self._context.engine, replace(attempt, slice_ids=free), limits)

    def keep(self, token: UUID, slice_ids: Collection[int]) -> None:
        """Let it count at these: they are closed, or it is held against them. Its other slices stay open."""
        attempt = self._open.pop(token, None)
        left = tuple(one for one in attempt.slice_ids if one not in slice_ids) if attempt else ()
        if attempt and left:
            self._open[token] = replace(attempt, slice_ids=left)

    def _pay(self) -> None:
        owed = self._context.attempts_owed
        try:
            with Alarm(self._context.settings.task_limit_seconds * _GIVE_BACK_SHARE):
                while owed:
                    give_back(self._context.engine, owed[0])
                    owed.popleft()
        except (PersistenceError, TimeUpError) as error:
            # Kept in mind: the next message begins with it.
            reason = str(error) or type(error).__name__
            log.warning("attempts_not_given_back", attempts=len(owed), reason=reason)
