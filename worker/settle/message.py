"""Settlement of a message: its slices together where they can be, and no slice's fault costs another one.

Slices that nobody has attempted are settled in one transaction, for that costs far more than an order. One
that has been attempted may be what ended its worker, so it stands alone, and the most attempted come last.
While others come in that go before them, they are settled a part at a time, and yield.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from shared.domain.backoff import jittered
from worker.context import WorkerContext
from worker.settle.attempts import Attempts
from worker.settle.close_slices import SliceReport
from worker.settle.logs import log_left, log_step
from worker.settle.part import MessagePart, Way
from worker.settle.retry import Into, Leave, Retry, Split
from worker.settle.settle import settle
from worker.settle.step import Step
from worker.settle.time_limits import Budget

_AT_ONCE_MOST = 25
"""Slices in one transaction, whatever a message says."""

_JITTER = 0.5


@dataclass(slots=True)
class Settled:
    """What came of a message: the slices that were closed, and why others were not, by id."""

    reports: list[SliceReport] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)


def settle_message(context: WorkerContext, slice_ids: Sequence[int], queue: str) -> Settled:
    """Settle the slices of a message of ``queue`` and log it. What stays undecided is dispatched again."""
    budget, settled, preemption = Budget(context.settings), Settled(), context.preemption
    preemption.came(queue)
    parts = deque(_first_parts(slice_ids))
    in_all = len(_ids(parts))
    # A slice that may be attempted only once must not share that with others.
    most = _AT_ONCE_MOST if context.settings.slice_attempts_max > 1 else 1
    with Attempts(context) as attempts:
        while parts:
            part = _next_part(parts, min(preemption.at_once(queue, in_all), most))
            step = settle(context, part, attempts, budget, others_wait=bool(parts))
            _follow(step, parts, attempts, budget, settled)
            if _is_over(parts, budget, settled) or (parts and preemption.yielded(_ids(parts), queue)):
                break
    return settled


def _first_parts(slice_ids: Sequence[int]) -> list[MessagePart]:
    ids = tuple(dict.fromkeys(slice_ids))
    return [MessagePart(ids, Way.TOGETHER)] if ids else []


def _next_part(parts: deque[MessagePart], most: int) -> MessagePart:
    """The next one, of at most so many slices; what is left of it is another."""
    part = parts.popleft()
    # What has been taken stays as it is: its attempt has one name.
    if part.way is not Way.TOGETHER or part.tries:
        return part
    now, left = part.slice_ids[:most], part.slice_ids[most:]
    if left:
        parts.appendleft(MessagePart(left, Way.TOGETHER))
    return MessagePart(now, Way.ALONE) if len(now) == 1 else replace(part, slice_ids=now)


def _follow(
    step: Step, parts: deque[MessagePart], attempts: Attempts, budget: Budget, settled: Settled
) -> None:
    """Do what was decided: what is to be done at once comes first, what is tried again after the others."""
    part = step.part
    settled.reports += step.reports
    log_step(step)
    parts.extendleft(reversed(step.further))
    match step.decision:
        case None:
            # Without a report another worker has them: what an earlier try has counted is given back.
            if step.reports:
                attempts.keep(part.token, part.slice_ids)
        case Retry() as again:
            parts.append(part)
            if again.at_once or len(parts) == 1:
                _pause(again.seconds, budget)
        case Split(into):
            parts.extendleft(reversed(_split(part, into)))
        case Leave() as left:
            if left.counts:
                attempts.keep(part.token, part.slice_ids)
            _leave(part.slice_ids, left.reason, step.error, settled)
            if left.all:
                _leave(_ids(parts), left.reason, None, settled)
                parts.clear()


def _pause(seconds: float, budget: Budget) -> None:
    # Two workers that met in a deadlock must not meet again.
    pause = jittered(seconds, _JITTER, random.random())  # noqa: S311 - not a secret
    time.sleep(min(pause, budget.left_seconds))


def _split(part: MessagePart, into: Into) -> list[MessagePart]:
    if into is Into.SLICES:
        return [MessagePart((slice_id,), Way.ALONE, instead_of=part.token) for slice_id in part.slice_ids]
    return [replace(part, way=Way.APART if into is Into.SAVEPOINTS else Way.CUT, tries=0)]


def _is_over(parts: deque[MessagePart], budget: Budget, settled: Settled) -> bool:
    """Whether the time is up; what has to be cut up still is, for else it would come again as it is."""
    if budget.left_seconds > 0 or not parts:
        return False
    cut = [part for part in parts if part.way is Way.CUT]
    _leave(_ids(part for part in parts if part.way is not Way.CUT), "there is no time left", None, settled)
    parts.clear()
    parts.extend(cut)
    return not cut


def _ids(parts: Iterable[MessagePart]) -> list[int]:
    return [slice_id for part in parts for slice_id in part.slice_ids]


def _leave(slice_ids: Sequence[int], reason: str, error: BaseException | None, settled: Settled) -> None:
    if slice_ids:
        settled.left |= dict.fromkeys(slice_ids, reason)
        log_left(slice_ids, reason, error)
