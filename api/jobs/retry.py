"""The orders of a job that are tried again: chosen by what became of them, or named one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from api.body.batch import Batch
from api.jobs.chosen_outcomes import bodies_gone, chosen_by_run, read_decision
from api.web.errors import ApiError
from shared.domain.outcome import quoted
from shared.domain.outcome_filter import OutcomeFilter
from shared.persistence.jobs.chosen_outcomes import choose_slices, has_bodies
from shared.persistence.jobs.progress import find_job
from shared.persistence.jobs.retry import JobRetry, find_last_tries, key_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from uuid import UUID

    from api.context import AppContext
    from api.jobs.chosen_outcomes import ChosenOutcome
    from api.jobs.retry_body import RetryChoice
    from shared.domain.job import Job

_NAMED_MOST: Final = 10
_REJECTED: Final = OutcomeFilter(ok=False)


@dataclass(frozen=True, slots=True)
class ChosenOrders:
    """The orders that are tried again, and how they are written down as such."""

    batch: Batch
    retry: JobRetry


def choose_orders(
    app: AppContext, job: Job, choice: RetryChoice, reserve: Callable[[int], None]
) -> ChosenOrders:
    """Choose orders of a done job. ``reserve`` is told of each before it is kept, and may refuse.

    Raises ApiError: 400 for keys that the job does not have, 409 for those that cannot be tried again, 410
    where what was sent is needed and gone; PersistenceError.
    """
    if choice.orders is None and not has_bodies(app.engine, job.id):
        raise bodies_gone(app.settings.bodies_days, 'send the orders, as {"orders": {key: order}}.')
    batch = _batch(app, job, choice, reserve)
    if not batch.keys:
        raise ApiError(
            409, "No order of the job was rejected that is meant here, so there is nothing to retry."
        )
    retry = find_last_tries(app.engine, job.id, map(key_hash, batch.keys))
    tried = _not_to_be_tried(app, job.id, retry)
    if refused := [key for key in batch.keys if key_hash(key) in tried]:
        raise keys_taken(refused)
    return ChosenOrders(batch, retry)


def _batch(app: AppContext, job: Job, choice: RetryChoice, reserve: Callable[[int], None]) -> Batch:
    named = choice.named_keys
    if named is None:
        keys: list[str] = []
        orders: list[msgspec.Raw] = []
        for run in _runs(app, job.id, _REJECTED, with_bodies=True):
            meant = [(one.key, one.sent) for one in run if one.sent and _is_meant(choice, one.outcome)]
            reserve(sum(len(sent) for _, sent in meant))
            keys += [key for key, _ in meant]
            # Copies: what was sent with them is not kept.
            orders += [sent.copy() for _, sent in meant]
        return Batch(keys=keys, orders=orders)
    found = _named(app, job.id, frozenset(named), reserve, with_bodies=choice.orders is None)
    if unknown := [key for key in named if key not in found]:
        raise ApiError(400, f"The job has no order under {_listed(unknown)}.")
    if made := [key for key in named if found[key] is None]:
        raise ApiError(409, f"The job has made what it was asked for under {_listed(made)}; leave that out.")
    if choice.orders is not None:
        return choice.orders
    return Batch(keys=list(named), orders=[order for key in named if (order := found[key]) is not None])


def _named(
    app: AppContext, job_id: UUID, keys: frozenset[str], reserve: Callable[[int], None], *, with_bodies: bool
) -> dict[str, msgspec.Raw | None]:
    """What was sent under these keys; empty without bodies. None: the order was made."""
    found: dict[str, msgspec.Raw | None] = {}
    for chosen in _outcomes(app, job_id, OutcomeFilter(), with_bodies=with_bodies):
        if chosen.key in keys:
            sent = msgspec.Raw(b"") if chosen.sent is None else chosen.sent.copy()
            reserve(len(sent))
            found[chosen.key] = None if read_decision(chosen.outcome).ok else sent
    return found


def _outcomes(
    app: AppContext, job_id: UUID, wanted: OutcomeFilter, *, with_bodies: bool
) -> Iterator[ChosenOutcome]:
    for run in _runs(app, job_id, wanted, with_bodies=with_bodies):
        yield from run


def _runs(
    app: AppContext, job_id: UUID, wanted: OutcomeFilter, *, with_bodies: bool
) -> Iterator[list[ChosenOutcome]]:
    slices = choose_slices(app.engine, job_id, wanted, with_bodies=with_bodies)
    return chosen_by_run(app.engine, slices, wanted)


def _is_meant(choice: RetryChoice, outcome: msgspec.Raw) -> bool:
    read = read_decision(outcome)
    return choice.has(code=read.code, reasons=read.reasons, retryable=read.retryable)


def _not_to_be_tried(app: AppContext, job_id: UUID, retry: JobRetry) -> set[bytes]:
    """The hashes of keys that a later job has under way, or has made."""
    taken: set[bytes] = set()
    for later in set(retry.last_tries.values()) - {None, job_id}:
        its = {one for one, last in retry.last_tries.items() if last == later}
        taken |= its if later is None else its - _rejected_by(app, later)
    return taken


def _rejected_by(app: AppContext, job_id: UUID) -> set[bytes]:
    """The hashes of the keys whose orders a job has rejected; none while it runs, or once it is deleted."""
    job = find_job(app.engine, job_id)
    if job is None or not job.done:
        return set()
    return {key_hash(one.key) for one in _outcomes(app, job_id, _REJECTED, with_bodies=False)}


def keys_taken(keys: Iterable[str]) -> ApiError:
    """The error of keys that another retry has."""
    return ApiError(
        409,
        f"Another retry has under way, or has made, what was sent under {_listed(list(keys))}; "
        "see the job's retries.",
    )


def _listed(keys: list[str]) -> str:
    told = ", ".join(f"the key {quoted(key)}" for key in keys[:_NAMED_MOST])
    return told if len(keys) <= _NAMED_MOST else f"{told} and {len(keys) - _NAMED_MOST} more"
