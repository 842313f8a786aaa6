"""The use case: taken slices in; their orders, stock and outcomes written together, in one transaction."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from functools import partial

import structlog

from shared.fault_points import reached
from shared.persistence.attempts import release_slices, take_slice
from shared.persistence.database import transaction
from shared.persistence.errors import DatabaseAwayError, TransientError
from shared.persistence.slices import TakenSlice, claim_slices
from worker.mail.hints import hint_mails, may_want_mails
from worker.settle.close_slices import SliceReport, close_with
from worker.settle.complete_order import read_completions
from worker.settle.patience import Patience
from worker.settle.place_orders import placing, read_orders
from worker.settle.poison import settle_deadly
from worker.settle.work import Place, Work
from worker.workshop import Workshop

log = structlog.get_logger()


def patience_for(workshop: Workshop) -> Patience:
    """The patience of one task: a third of its limit, so that the work itself has time enough."""
    return Patience(workshop.settings.task_limit_seconds / 3)


def settle_slice(workshop: Workshop, slice_id: int, patience: Patience | None = None) -> SliceReport | None:
    """Give every order of the slice its outcome. None: there was nothing to do, or another one does it.

    Raises TransientError when trying again later may help: the slice stays undecided and is dispatched again.
    """
    patience = patience or patience_for(workshop)
    patience.while_away(partial(give_back_attempts, workshop))
    taken = patience.while_away(partial(take_slice, workshop.engine, slice_id))
    if taken is None:
        return None
    _reached("after-take", [taken])
    return settle_alone(workshop, taken, patience)


def settle_alone(workshop: Workshop, taken: TakenSlice, patience: Patience) -> SliceReport | None:
    """The same for a slice that is taken already."""
    structlog.contextvars.bind_contextvars(request_id=taken.request_id, job_id=str(taken.job_id))
    if taken.attempts > workshop.settings.slice_attempts_max:
        report = patience.while_away(partial(settle_deadly, workshop, taken))
        reports = [] if report is None else [report]
    else:
        reports = _settle_or_release(workshop, [taken], _read(workshop, taken), patience)
    _tell(workshop, [taken], reports)
    return reports[0] if reports else None


def settle_together(
    workshop: Workshop, slices: Sequence[TakenSlice], patience: Patience
) -> tuple[list[SliceReport], list[TakenSlice]]:
    """Settle slices that are taken in one transaction: all of them or none.

    None of them may have been attempted before, or be a completion. Gives their reports, and those that have
    to be done alone: they ask for an order number that an earlier one asks for. Raises TransientError as one
    slice does, and whatever else the orders met: then each is to be done alone.
    """
    _reached("after-take", slices)
    orders, later, numbers = [], [], set[int]()
    for taken in slices:
        read = read_orders(workshop, taken)
        asked_for = {order.number for order in read if order.number is not None}
        if asked_for & numbers:
            later.append(taken)
            continue
        numbers |= asked_for
        orders += read
    now = [taken for taken in slices if taken not in later]
    reports = _settle_or_release(workshop, now, placing(workshop, orders, alone=False), patience)
    _tell(workshop, now, reports)
    return reports, later


def give_back_attempts(workshop: Workshop) -> None:
    """Take back attempts that killed nobody; what a lost database keeps from it, the next task does."""
    while owed := list(workshop.attempts_to_give_back):
        release_slices(workshop.engine, owed)
        for _ in owed:
            workshop.attempts_to_give_back.popleft()


def _read(workshop: Workshop, taken: TakenSlice) -> Work:
    """What the slice asks for, read before any row is locked."""
    if taken.form == "completion":
        return read_completions(workshop, taken)
    return placing(workshop, read_orders(workshop, taken), alone=True)


def _settle_or_release(
    workshop: Workshop, slices: Sequence[TakenSlice], work: Work, patience: Patience
) -> list[SliceReport]:
    try:
        return _settle_patiently(workshop, slices, work, patience)
    except TransientError:
        workshop.attempts_to_give_back.extend(taken.id for taken in slices)
        give_back_attempts(workshop)
        raise


def _settle_patiently(
    workshop: Workshop, slices: Sequence[TakenSlice], work: Work, patience: Patience
) -> list[SliceReport]:
    place, attempt = work.all_at_once, 1
    numbers = [taken.number for taken in slices]
    while True:
        try:
            return patience.while_away(partial(_settle, workshop, slices, place))
        except TransientError as error:
            if isinstance(error, DatabaseAwayError) or attempt >= workshop.settings.slice_tries_max:
                raise
            log.info("slices_tried_again", slices=numbers, attempt=attempt, reason=str(error))
            # Jitter: two workers that met in a deadlock must not meet again.
            time.sleep(random.uniform(0.5, 1.5) * 0.05 * 2**attempt)  # noqa: S311 - not a secret
            attempt += 1
        except MemoryError:
            raise
        except Exception:
            # A fault of the data or of ours: it will not pass, but it need not cost the whole slice.
            if work.one_by_one is None or place is work.one_by_one:
                raise
            log.exception("slice_redone_one_by_one", slice=numbers[0])
            place = work.one_by_one


def _settle(workshop: Workshop, slices: Sequence[TakenSlice], place: Place) -> list[SliceReport]:
    with transaction(workshop.engine) as connection:
        claim = claim_slices(connection, [taken.id for taken in slices])
        if claim is None:
            return []
        _reached("after-claim", slices)
        reports = close_with(connection, place(connection, claim))
        _reached("after-write", slices)
    return reports


def _tell(workshop: Workshop, slices: Sequence[TakenSlice], reports: Sequence[SliceReport]) -> None:
    """What follows the commit: the events, and the hints for the mails."""
    if not reports:
        return
    _reached("after-commit", slices)
    workshop.events.announce_all([(report.job_id, report.number) for report in reports])
    if workshop.queue is not None:
        wanting = {taken.job_id for taken in slices if may_want_mails(taken, workshop.settings)}
        numbers = [n for report in reports if report.job_id in wanting for n in report.first_numbers]
        if numbers:
            hint_mails(workshop.engine, workshop.queue, numbers)
    _reached("after-announce", slices)


def _reached(point: str, slices: Sequence[TakenSlice]) -> None:
    for taken in slices:
        reached(point, taken.body)
