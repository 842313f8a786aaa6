"""Settlement of a part: its slices' orders, stock and outcomes written together, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import structlog

from shared.failpoints import failpoint
from shared.persistence.core.database import transaction
from shared.persistence.jobs.attempts import Attempt, undecided_slices
from shared.persistence.jobs.slices import TakenSlice, claim_slices
from worker.context import WorkerContext
from worker.mail.hints import hint_mails, may_want_mails
from worker.settle.attempts import Attempts
from worker.settle.cancel_rest import cancel_rest_of_stopped
from worker.settle.cancelled import place_unless_cancelled
from worker.settle.close_slices import SliceReport, close_with
from worker.settle.dispatch_next import dispatch_next
from worker.settle.logs import bind_requests
from worker.settle.part import MessagePart, Way
from worker.settle.poison import quarantine
from worker.settle.read import read_work
from worker.settle.retry import decide, retry_limits
from worker.settle.step import Step
from worker.settle.time_limits import Alarm, Budget, OrderTooSlowError, TimeUpError
from worker.settle.trial import Trial
from worker.settle.work import Work


def settle(
    context: WorkerContext, part: MessagePart, attempts: Attempts, budget: Budget, *, others_wait: bool
) -> Step:
    """Give every order of the part its outcome, or decide what becomes of it.

    Without reports there was nothing to do, or another worker does it. A fault of the database, of the data
    or of ours is not raised but decided on.
    """
    step, trial = Step(replace(part, tries=part.tries + 1)), Trial(budget, others_wait=others_wait)
    alarm = Alarm(budget.left_seconds)
    try:
        with alarm:
            taken = trial.taken = _take(context, step, attempts)
            if not taken:
                return step
            context.order_clock.start()
            poison = part.way is Way.CUT or taken[0].withheld
            work = quarantine(context, taken[0]) if poison else read_work(context, taken, part.way)
            _put_off(step, work)
            limits = budget.limits(slices=len(work.slices), others_wait=others_wait)
            with transaction(context.engine) as connection:
                claim = claim_slices(connection, [one.id for one in work.slices], limits)
                if claim is not None:
                    _failpoints("after-claim", work.slices)
                    step.reports = close_with(connection, place_unless_cancelled(work, connection, claim))
                    _failpoints("after-write", work.slices)
        _tell(context, work.slices, step.reports)
    except (Exception, TimeUpError, OrderTooSlowError) as error:  # noqa: BLE001 - it is decided on, and logged
        step.error = alarm.cause_of(error)
        step.part = trial.after(step.error, step.part)
        step.decision = decide(step.error, trial.tried(step.part), retry_limits(context.settings))
    finally:
        context.order_clock.stop()
        step.seconds = trial.seconds
    return step


def _take(context: WorkerContext, step: Step, attempts: Attempts) -> list[TakenSlice]:
    """Take the part's slices; those of several that cannot be taken together are further parts."""
    part = step.part
    structlog.contextvars.clear_contextvars()
    together = part.way is Way.TOGETHER
    taken = attempts.take(Attempt(part.token, part.slice_ids, together, part.instead_of))
    if together and len(taken) < len(part.slice_ids):
        left = set(part.slice_ids) - {one.id for one in taken}
        undecided = undecided_slices(context.engine, list(left))
        # What is fresh did not fit, or is in another's hand; where nothing was taken it is the latter.
        again, alone = (
            (undecided.fresh, undecided.others) if taken else ([], [*undecided.fresh, *undecided.others])
        )
        step.part = replace(part, slice_ids=tuple(one.id for one in taken))
        step.further = [MessagePart(tuple(again), Way.TOGETHER)] if again else []
        step.further += [MessagePart((one,), Way.ALONE) for one in alone]
    bind_requests(taken)
    _failpoints("after-take", taken)
    return taken


def _put_off(step: Step, work: Work) -> None:
    """What was taken and has to wait for its turn is a further part: the same attempt, by the same name."""
    if work.later:
        part = step.part
        step.part = replace(part, slice_ids=tuple(one.id for one in work.slices))
        step.further.append(replace(part, slice_ids=tuple(one.id for one in work.later)))


def _tell(context: WorkerContext, slices: Sequence[TakenSlice], reports: Sequence[SliceReport]) -> None:
    """What follows the commit: events, what comes next, codes tried in vain, and the hints for the mails."""
    if not reports:
        return
    _failpoints("after-commit", slices)
    context.events.announce_all([(report.job_id, report.number) for report in reports])
    cancel_rest_of_stopped(context.engine, reports)
    dispatch_next(context, slices)
    tried: Counter[int] = Counter()
    for report in reports:
        tried[report.client_id] += report.unknown_codes
    context.client_rate.add(tried)
    if context.queue is not None:
        wanting = {taken.job_id for taken in slices if may_want_mails(taken, context.settings)}
        numbers = [n for report in reports if report.job_id in wanting for n in report.first_numbers]
        if numbers:
            hint_mails(context.engine, context.queue, numbers)
    _failpoints("after-announce", slices)


def _failpoints(point: str, slices: Sequence[TakenSlice]) -> None:
    for taken in slices:
        failpoint(point, taken.body)
