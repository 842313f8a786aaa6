"""The slices of one message, in turn: together what can be, and no slice's fault costs another anything.

Slices that nobody has attempted are settled in one transaction, for that costs far more than an order. One
that has been attempted may be what ended its worker, so it stands alone, and the most attempted come last.
While others come in that go before them, they are settled a part at a time, and give way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from shared.persistence.attempts import take_slices, undecided_slices
from shared.persistence.errors import DatabaseAwayError, TransientError
from shared.persistence.slices import TakenSlice
from worker.settle.close_slices import SliceReport
from worker.settle.settle import give_back_attempts, patience_for, settle_alone, settle_slice, settle_together
from worker.workshop import Workshop

log = structlog.get_logger()

_AT_ONCE_MOST = 25
"""Slices in one transaction, whatever a message says."""


def settle_in_turn(workshop: Workshop, slice_ids: Sequence[int], queue: str) -> None:
    """Settle the slices of a message of ``queue`` and log it.

    Nothing is raised: the sweeper dispatches again what stays undecided.
    """
    way, turn = workshop.giving_way, _Turn(workshop)
    way.came(queue)
    message = left = list(dict.fromkeys(slice_ids))
    while left:
        count = min(way.at_once(queue, len(message)), _AT_ONCE_MOST)
        now, left = left[:count], left[count:]
        if not turn.take(now) or (left and way.gave_way(left, queue)):
            break


class _Turn:
    """What is done of one message, and whether there is any sense in going on."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._patience = patience_for(workshop)
        self._database_away = False

    def take(self, slice_ids: Sequence[int]) -> bool:
        """Settle these slices. False: there is no sense in going on."""
        alone: Sequence[int] = slice_ids
        # A slice that may be attempted only once must not share that with others.
        if len(slice_ids) > 1 and self._workshop.settings.slice_attempts_max > 1:
            fresh, alone = self._sort_out(slice_ids)
            for taken in self._together(fresh):
                if not self._do([taken.id], partial(self._one, partial(settle_alone, taken=taken))):
                    self._workshop.attempts_to_give_back.append(taken.id)
        for slice_id in alone:
            self._do([slice_id], partial(self._one, partial(settle_slice, slice_id=slice_id)))
        return not self._over

    @property
    def _over(self) -> bool:
        return self._database_away or self._patience.over

    def _sort_out(self, slice_ids: Sequence[int]) -> tuple[list[TakenSlice], list[int]]:
        """Take the slices that nobody has attempted; give them and the others."""
        fresh: list[TakenSlice] = []
        others: list[int] = []

        def sort_out() -> None:
            engine, while_away = self._workshop.engine, self._patience.while_away
            while_away(partial(give_back_attempts, self._workshop))
            fresh.extend(while_away(partial(take_slices, engine, slice_ids, fresh=True)))
            if len(fresh) < len(slice_ids):
                left = set(slice_ids) - {taken.id for taken in fresh}
                others.extend(while_away(partial(undecided_slices, engine, list(left))))

        self._do(slice_ids, sort_out)
        return fresh, others

    def _together(self, fresh: Sequence[TakenSlice]) -> Sequence[TakenSlice]:
        """Settle them in one transaction; give those that have to be done alone."""
        alone: list[TakenSlice] = []

        def together() -> None:
            started = time.monotonic()
            try:
                reports, later = settle_together(self._workshop, fresh, self._patience)
            except TransientError:
                raise
            except MemoryError:
                log.error("slices_taken_apart", slices=len(fresh))  # noqa: TRY400 - a traceback needs memory
                alone.extend(fresh)
            except Exception:
                # Whose fault it is shows when each is done alone.
                log.exception("slices_taken_apart", slices=len(fresh))
                alone.extend(fresh)
            else:
                alone.extend(later)
                for report in reports:
                    _log_settled(report, started)

        if fresh:
            self._do([taken.id for taken in fresh], together)
        return alone

    def _one(self, settle: Callable[..., SliceReport | None]) -> None:
        started = time.monotonic()
        report = settle(self._workshop, patience=self._patience)
        if report is None:
            log.debug("slice_not_needed")
        else:
            _log_settled(report, started)

    def _do(self, slice_ids: Sequence[int], do: Callable[[], None]) -> bool:
        """Do something for these slices, and log what is in its way; False: there is no sense in it."""
        structlog.contextvars.clear_contextvars()
        if self._over:
            log.warning("slices_left_for_later", slice_ids=list(slice_ids), reason="there is no time left")
            return False
        try:
            do()
        except TransientError as error:
            log.warning("slices_left_for_later", slice_ids=list(slice_ids), reason=str(error))
            self._database_away = isinstance(error, DatabaseAwayError)
        except MemoryError:
            # Let through, it would make Celery raise it in the worker's main process, message after message.
            log.error("slices_out_of_memory", slice_ids=list(slice_ids))  # noqa: TRY400 - a traceback needs memory
        except Exception:
            log.exception("slices_failed", slice_ids=list(slice_ids))
        return True


def _log_settled(report: SliceReport, started: float) -> None:
    log.info(
        "slice",
        request_id=report.request_id,
        job_id=str(report.job_id),
        slice=report.number,
        orders=report.orders,
        ok=report.ok,
        failed=report.orders - report.ok,
        duration_ms=round((time.monotonic() - started) * 1000, 1),
    )
