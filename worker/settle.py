"""The use case: a slice id in; its orders, their stock and their outcomes written together."""

from __future__ import annotations

import random
import time
from functools import partial

import msgspec
import structlog

from shared.fault_points import reached
from shared.persistence.database import transaction
from shared.persistence.errors import DatabaseAwayError, TransientError
from shared.persistence.slices import TakenSlice, claim_slice, release_slice, take_slice
from worker.closing import SliceReport, close_with
from worker.complete_order import read_completions
from worker.deadly import settle_deadly
from worker.mail.hints import hint_mails, may_want_mails
from worker.patience import Patience
from worker.place_orders import read_orders
from worker.work import Place, Work
from worker.workshop import Workshop

log = structlog.get_logger()

_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])


def settle_slice(workshop: Workshop, slice_id: int) -> SliceReport | None:
    """Give every order of the slice its outcome. None: there was nothing to do, or another one does it.

    Raises TransientError when trying again later may help: the slice stays undecided and is dispatched again.
    """
    # A third of the task's limit, so that the work itself has time enough.
    patience = Patience(workshop.settings.task_limit_seconds / 3)
    patience.while_away(partial(_give_back_attempts, workshop))
    taken = patience.while_away(partial(take_slice, workshop.engine, slice_id))
    if taken is None:
        return None
    structlog.contextvars.bind_contextvars(request_id=taken.request_id, job_id=str(taken.job_id))
    reached("after-take", taken.body)
    if taken.attempts > workshop.settings.slice_attempts_max:
        report = patience.while_away(partial(settle_deadly, workshop, taken))
    else:
        report = _settle_or_release(workshop, taken, patience)
    if report is not None:
        reached("after-commit", taken.body)
        workshop.events.announce(report.job_id, report.number)
        if workshop.queue is not None and report.first_numbers and may_want_mails(taken, workshop.settings):
            hint_mails(workshop.engine, workshop.queue, report.first_numbers)
        reached("after-announce", taken.body)
    return report


def _settle_or_release(workshop: Workshop, taken: TakenSlice, patience: Patience) -> SliceReport | None:
    try:
        return _settle_patiently(workshop, taken, _read(workshop, taken), patience)
    except TransientError:
        workshop.attempts_to_give_back.append(taken.id)
        _give_back_attempts(workshop)
        raise


def _give_back_attempts(workshop: Workshop) -> None:
    """Take back attempts that killed nobody; what a lost database keeps from it, the next task does."""
    while workshop.attempts_to_give_back:
        release_slice(workshop.engine, workshop.attempts_to_give_back[0])
        workshop.attempts_to_give_back.popleft()


def _read(workshop: Workshop, taken: TakenSlice) -> Work:
    """What the slice asks for, read before any row is locked."""
    members = _BODY.decode(taken.body)
    if taken.form == "completion":
        return read_completions(workshop, taken, members)
    return read_orders(workshop, taken, members)


def _settle_patiently(
    workshop: Workshop, taken: TakenSlice, work: Work, patience: Patience
) -> SliceReport | None:
    place, attempt = work.all_at_once, 1
    while True:
        try:
            return patience.while_away(partial(_settle, workshop, taken, place))
        except TransientError as error:
            if isinstance(error, DatabaseAwayError) or attempt >= workshop.settings.slice_tries_max:
                raise
            log.info("slice_tried_again", slice=taken.number, attempt=attempt, reason=str(error))
            # Jitter: two slices that met in a deadlock must not meet again.
            time.sleep(random.uniform(0.5, 1.5) * 0.05 * 2**attempt)  # noqa: S311 - not a secret
            attempt += 1
        except MemoryError:
            raise
        except Exception:
            # A fault of the data or of ours: it will not pass, but it need not cost the whole slice.
            if place is work.one_by_one:
                raise
            log.exception("slice_redone_one_by_one", slice=taken.number)
            place = work.one_by_one


def _settle(workshop: Workshop, taken: TakenSlice, place: Place) -> SliceReport | None:
    with transaction(workshop.engine) as connection:
        claim = claim_slice(connection, taken.id)
        if claim is None:
            return None
        reached("after-claim", taken.body)
        report = close_with(connection, taken, place(connection, claim))
        reached("after-write", taken.body)
    return report
