"""POST /v1/orders: a keyed batch in, its keyed outcomes or its job out (CONTRACT 2). And one order alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog
import uuid6
from flask import request

from api.body.batch import Batch, read_batch, read_single
from api.body.read import body_form, read_body
from api.context import asking_key, facts, parts
from api.jobs.responses import job_accepted
from api.jobs.results import results_answer
from api.jobs.views import expired
from api.orders.accept import Accepted, BatchRequest, accept_batch
from api.orders.collect import Collected, collect, collect_again
from api.orders.idempotency import read_idempotency_key, request_hash
from api.web.errors import ApiError
from api.web.prefer import Preferences, Waiting, preference_applied, read_preferences, waiting_for
from shared.domain.job import Job, JobForm
from shared.persistence.jobs.insert import PromisedBeforeError
from shared.persistence.jobs.outcomes import NO_OUTCOMES
from shared.persistence.jobs.progress import find_job
from shared.schemas.job import job_path

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Response

    from shared.events import Waiter

_log = structlog.get_logger(__name__)

Read = Callable[[bytearray, bool], Batch]
"""A body, and whether it is read line by line, to its orders."""


def create_orders() -> Response:
    """A keyed batch: 200 with its keyed outcomes, else 202."""
    return _create(JobForm.BATCH, "", _read_keyed)


def create_order() -> Response:
    """One order, answered with its bare outcome; the same path through a job."""
    return _create(JobForm.ORDER, "", lambda body, _: read_single(body, "", settings=parts().settings))


def complete_order(number: int) -> Response:
    """The completion of what createOnly prepared, or further payment details."""
    key = str(number)
    return _create(JobForm.COMPLETION, key, lambda body, _: read_single(body, key, settings=parts().settings))


def _create(form: JobForm, key_in_path: str, read: Read) -> Response:
    """Read, accept, dispatch, and wait as long as the client would: 200 with outcomes, else 202."""
    preferences = read_preferences(request.headers.get("Prefer", ""))
    idempotency_key = read_idempotency_key(request.headers.get("Idempotency-Key"))
    job_id = uuid6.uuid7()
    try:
        # Listening comes first: no event of these slices is missed then, whoever dispatches them.
        with parts().listener.waiting(job_id) as waiter, parts().small_batches.until_answered(job_id):
            accepted, waiting = _read_and_accept(
                job_id, form, key_in_path, read, preferences, idempotency_key
            )
            collected = _collect(accepted, waiter, waiting)
    except PromisedBeforeError as before:
        return _replay(before, preferences)
    return _answer(collected, preferences, waiting)


def _waiting(preferences: Preferences, total: int) -> Waiting:
    """How long the client waits; from here on it counts as a waiter, if there may be one more."""
    settings = parts().settings
    waiting = waiting_for(
        preferences,
        total,
        sync_max_orders=settings.sync_max_orders,
        sync_wait_seconds=settings.sync_wait_seconds,
        max_wait_seconds=settings.max_wait_seconds,
    )
    permit = facts().permit
    if waiting.seconds > 0 and (permit is None or not permit.begin_waiting()):
        return Waiting(seconds=0, wished=False)
    return waiting


def _replay(before: PromisedBeforeError, preferences: Preferences) -> Response:
    """The same request again: the same job, in its present state, or waited for again."""
    if before.request_hash != facts().request_hash:
        raise ApiError(
            422,
            "The Idempotency-Key was used for another request; send a new key with a new batch, "
            "and the same key only with the same bytes.",
        )
    # Whatever happens from here on: there is a job, and the client is told where.
    facts().job_id = before.job_id
    job = find_job(parts().engine, before.job_id)
    if job is None or job.is_over(parts().clock()):
        raise expired()
    facts().orders = job.total
    waiting = _waiting(preferences, job.total)
    with parts().listener.waiting(job.id) as waiter:
        collected = _or_the_job(job, partial(collect_again, parts(), waiter, job, waiting.seconds))
    response = _answer(collected, preferences, waiting)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _read_and_accept(
    job_id: UUID,
    form: JobForm,
    key_in_path: str,
    read: Read,
    preferences: Preferences,
    idempotency_key: str | None,
) -> tuple[Accepted, Waiting]:
    # What was read is let go of on return: a request that waits must not hold its body meanwhile.
    with parts().memory_budget.reservation() as held:
        body, by_line = _read_body(held.reserve, by_line_allowed=form is JobForm.BATCH)
        if idempotency_key is not None:
            facts().request_hash = request_hash(form, key_in_path, body)
        batch = read(body, by_line)
        facts().orders = len(batch.keys)
        # Whoever waits goes first, so it has to be known before anything is stored.
        waiting = _waiting(preferences, len(batch.keys))
        batch_request = BatchRequest(
            job_id=job_id,
            form=form,
            api_key_id=asking_key().id,
            request_id=facts().request_id,
            strict=preferences.strict,
            waits=waiting.seconds > 0,
            idempotency_key=idempotency_key,
            request_hash=facts().request_hash,
        )
        limit_seconds = parts().settings.lock_limit_seconds
        with parts().keys_in_flight.alone(batch_request.api_key_id, idempotency_key, limit_seconds):
            accepted = accept_batch(parts(), batch, batch_request)
        facts().job_id = accepted.job.id
        return accepted, waiting


def _read_body(reserve: Callable[[int], None], *, by_line_allowed: bool) -> tuple[bytearray, bool]:
    settings = parts().settings
    sent = body_form(
        request.mimetype,
        request.mimetype_params.get("charset", ""),
        request.headers.get("Content-Encoding", ""),
        request.content_length,
        max_body_bytes=settings.max_body_bytes,
    )
    if sent.by_line and not by_line_allowed:
        raise ApiError(415, "One order is sent as application/json; lines are for batches.")
    body = read_body(request.stream, sent, max_body_bytes=settings.max_body_bytes, reserve=reserve)
    return body, sent.by_line


def _read_keyed(body: bytearray, by_line: bool) -> Batch:
    return read_batch(body, by_line=by_line, settings=parts().settings)


def _collect(accepted: Accepted, waiter: Waiter, waiting: Waiting) -> Collected:
    if not accepted.slice_count:
        return Collected(accepted.job, NO_OUTCOMES)
    # Nobody has been told to decide it before the next sweep, so waiting would only keep the client.
    if waiting.seconds <= 0 or not accepted.dispatched:
        return Collected(accepted.job, None)
    job, count = accepted.job, accepted.slice_count
    return _or_the_job(job, partial(collect, parts(), waiter, job, count, waiting.seconds))


def _or_the_job(job: Job, collecting: Callable[[], Collected]) -> Collected:
    """What is collected; where that fails, the job: it is stored, and a fault of ours takes nothing back."""
    try:
        return collecting()
    except Exception:  # noqa: BLE001 - logged; a 500 would hide from the client that there is a job
        _log.exception("outcomes_not_collected", job_id=str(job.id))
        return Collected(job, None)


def _answer(collected: Collected, preferences: Preferences, waiting: Waiting) -> Response:
    job = collected.job
    if collected.outcomes is not None:
        headers = {"Location": job_path(job.id), **_applied(preferences, waiting, 200)}
        # They are there, and perhaps no memory to send them with: then they can be asked for.
        with suppress(ApiError):
            return results_answer(job.form, collected.outcomes, headers)
    return job_accepted(job, _applied(preferences, waiting, 202))


def _applied(preferences: Preferences, waiting: Waiting, status: int) -> dict[str, str]:
    applied = preference_applied(preferences, waiting, status)
    return {"Preference-Applied": applied} if applied else {}
