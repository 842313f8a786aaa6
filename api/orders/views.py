"""Views that take batches of any kind, or one element of it: outcomes or a job out (contract §2)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog
import uuid6
from flask import request

from api.body.batch import read_batch, read_single
from api.body.request_body import read_request_body
from api.jobs.find import check_not_gone, expired
from api.jobs.responses import job_accepted
from api.jobs.results import results_response
from api.orders.accept import Accepted, BatchRequest, accept_batch
from api.orders.asked_options import asked_options
from api.orders.collect import Collected, collect, collect_again
from api.orders.idempotency import read_idempotency_key, request_hash
from api.web.errors import ApiError
from api.web.prefer import Preferences, Waiting, preference_applied, read_preferences, waiting_for
from shared.domain.batch_options import AS_USUAL, BatchOptions
from shared.domain.job import Job
from shared.persistence.jobs.insert import IdempotencyKeyUsedError
from shared.persistence.jobs.outcomes import NO_OUTCOMES
from shared.persistence.jobs.progress import find_job
from shared.schemas.job import job_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from flask import Response

    from api.body.batch import Batch
    from api.context import AppContext, RequestContext
    from api.route import View
    from shared.domain.kinds import JobForm
    from shared.events import Waiter
    from shared.persistence.jobs.retry import JobRetry
    from shared.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class SentBody:
    """A body that was read whole; ``reserve`` is told of what is kept beside it, and may refuse."""

    body: bytearray
    by_line: bool
    settings: Settings
    reserve: Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class OrdersEndpoint:
    """What differs between the paths that orders are sent to; ``by_line_refused`` as in read_request_body.

    ``read`` gives the orders, and what they are a retry of.
    """

    form: JobForm
    read: Callable[[SentBody], tuple[Batch, JobRetry | None]]
    key_in_path: str = ""
    options: BatchOptions = AS_USUAL
    by_line_refused: str | None = "One order is sent as application/json; lines are for batches."


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a request asks for beside its body."""

    preferences: Preferences
    idempotency_key: str | None


def _read_asked() -> _Asked:
    return _Asked(
        preferences=read_preferences(request.headers.get("Prefer", "")),
        idempotency_key=read_idempotency_key(request.headers.get("Idempotency-Key")),
    )


def batch_view(form: JobForm) -> View:
    """The view of a keyed batch in this form: 200 with its keyed outcomes, else 202."""

    def send_batch(app: AppContext, context: RequestContext) -> Response:
        options = asked_options(app)
        endpoint = OrdersEndpoint(form=form, read=_read_keyed, options=options, by_line_refused=None)
        return create_job(app, context, endpoint)

    return send_batch


def one_view(form: JobForm) -> View:
    """The view of one element, answered with its bare outcome; the same way through a job.

    Its key is the number of its order where the path has that, and else empty.
    """

    def send_one(app: AppContext, context: RequestContext, number: int | None = None) -> Response:
        key = "" if number is None else str(number)
        endpoint = OrdersEndpoint(form=form, read=partial(_read_one, key), key_in_path=key)
        return create_job(app, context, endpoint)

    return send_one


def _read_keyed(sent: SentBody) -> tuple[Batch, None]:
    return read_batch(sent.body, by_line=sent.by_line, settings=sent.settings), None


def _read_one(key: str, sent: SentBody) -> tuple[Batch, None]:
    return read_single(sent.body, key, settings=sent.settings), None


def create_job(app: AppContext, context: RequestContext, endpoint: OrdersEndpoint) -> Response:
    """Read, accept, dispatch, and wait as long as the client would: 200 with outcomes, else 202."""
    asked = _read_asked()
    job_id = uuid6.uuid7()
    try:
        # Listening comes first: no event of these slices is missed then, whoever dispatches them.
        with app.listener.waiting(job_id) as waiter, app.small_batches.until_answered(job_id):
            accepted, waiting = _read_and_accept(app, context, endpoint, job_id, asked)
            collected = _collect(app, accepted, waiter, waiting)
            if collected.outcomes is not None:
                app.backlog.decided(context.caller.client_id, accepted.size, accepted.lane)
    except IdempotencyKeyUsedError as before:
        replayed = before.job_id, before.request_hash
    else:
        return _respond(app, collected, asked.preferences, waiting)
    # Out here the exception is gone, and with its frames the body: a replay may wait for long.
    return _replay(app, context, *replayed, asked.preferences)


def _waiting(
    app: AppContext, context: RequestContext, preferences: Preferences, total: int, options: BatchOptions
) -> Waiting:
    """How long the client waits; from here on it counts as a waiter, if there may be one more."""
    settings = app.settings
    if total and options.is_early(app.clock()):
        return Waiting(seconds=0, wished=False)
    waiting = waiting_for(
        preferences,
        total,
        sync_max_orders=settings.sync_max_orders,
        sync_wait_seconds=settings.sync_wait_seconds,
        max_wait_seconds=settings.max_wait_seconds,
    )
    if waiting.seconds > 0 and (context.permit is None or not context.permit.begin_waiting()):
        return Waiting(seconds=0, wished=False)
    return waiting


def _replay(
    app: AppContext, context: RequestContext, job_id: UUID, request_hash: bytes, preferences: Preferences
) -> Response:
    """The same request again: the same job, in its present state, or waited for again."""
    if request_hash != context.request_hash:
        raise ApiError(
            422,
            "The Idempotency-Key was used for another request; send a new key with a new batch, "
            "and the same key only with the same bytes.",
        )
    # Whatever happens from here on: there is a job, and the client is told where.
    context.job_id = job_id
    job = find_job(app.engine, job_id)
    if job is None:
        raise expired()
    check_not_gone(job, app.clock())
    context.orders = job.total
    waiting = _waiting(app, context, preferences, job.total, job.options)
    with app.listener.waiting(job.id) as waiter:
        collected = _or_the_job(job, partial(collect_again, app, waiter, job, waiting.seconds))
    response = _respond(app, collected, preferences, waiting)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _read_and_accept(
    app: AppContext, context: RequestContext, endpoint: OrdersEndpoint, job_id: UUID, asked: _Asked
) -> tuple[Accepted, Waiting]:
    # What was read is let go of on return: a request that waits must not hold its body meanwhile.
    with app.memory_budget.reservation() as held:
        body, by_line = read_request_body(
            request,
            max_bytes=app.settings.max_body_bytes,
            limit="maxBodyBytes",
            reserve=held.reserve,
            by_line_refused=endpoint.by_line_refused,
        )
        if asked.idempotency_key is not None:
            context.request_hash = request_hash(endpoint.form, endpoint.key_in_path, body, endpoint.options)
        batch, retry = endpoint.read(
            SentBody(body=body, by_line=by_line, settings=app.settings, reserve=held.reserve)
        )
        context.orders = len(batch.keys)
        # Whoever waits goes first, so it has to be known before anything is stored.
        waiting = _waiting(app, context, asked.preferences, len(batch.keys), endpoint.options)
        batch_request = BatchRequest(
            job_id=job_id,
            form=endpoint.form,
            client_id=context.caller.client_id,
            api_key_id=context.caller.id,
            request_id=context.request_id,
            strict=asked.preferences.strict,
            waits=waiting.seconds > 0,
            options=endpoint.options,
            idempotency_key=asked.idempotency_key,
            request_hash=context.request_hash,
            retry=retry,
        )
        wait_seconds = app.settings.lock_limit_seconds
        with app.keys_in_flight.alone(context.caller.client_id, asked.idempotency_key, wait_seconds):
            accepted = accept_batch(app, batch, batch_request)
        context.job_id = accepted.job.id
        return accepted, waiting


def _collect(app: AppContext, accepted: Accepted, waiter: Waiter, waiting: Waiting) -> Collected:
    if not accepted.slice_count:
        return Collected(accepted.job, NO_OUTCOMES)
    # Nobody has been told to decide it before the next sweep, so waiting would only keep the client.
    if waiting.seconds <= 0 or not accepted.dispatched:
        return Collected(accepted.job, None)
    job, count = accepted.job, accepted.slice_count
    return _or_the_job(job, partial(collect, app, waiter, job, count, waiting.seconds))


def _or_the_job(job: Job, collecting: Callable[[], Collected]) -> Collected:
    """What is collected; where that fails, the job: it is stored, and a fault of ours takes nothing back."""
    try:
        return collecting()
    except Exception:  # noqa: BLE001 - logged; a 500 would hide from the client that there is a job
        _log.exception("outcomes_not_collected", job_id=str(job.id))
        return Collected(job, None)


def _respond(app: AppContext, collected: Collected, preferences: Preferences, waiting: Waiting) -> Response:
    job = collected.job
    if collected.outcomes is not None:
        headers = {"Location": job_path(job.id), **_applied(preferences, waiting, 200)}
        # They are there, and perhaps no memory to send them with: then they can be asked for.
        with suppress(ApiError):
            return results_response(app, job.form, collected.outcomes, headers)
    return job_accepted(app.memory_budget, job, _applied(preferences, waiting, 202))


def _applied(preferences: Preferences, waiting: Waiting, status: int) -> dict[str, str]:
    applied = preference_applied(preferences, waiting, status)
    return {"Preference-Applied": applied} if applied else {}
