"""View of a retry, POST /v1/jobs/<id>/retry: a new job of orders that another one rejected (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from api.jobs.find import own_job
from api.jobs.responses import retry_after
from api.jobs.retry import choose_orders, keys_taken
from api.jobs.retry_body import read_choice
from api.orders.idempotency import read_idempotency_key
from api.orders.views import OrdersEndpoint, create_job
from api.web.errors import ApiError
from shared.persistence.jobs.insert import check_key_unused
from shared.persistence.jobs.retry import KeysRetriedError, key_hash

if TYPE_CHECKING:
    from flask import Response

    from api.body.batch import Batch
    from api.context import AppContext, RequestContext
    from api.orders.views import SentBody
    from shared.persistence.jobs.retry import JobRetry


def retry_job(app: AppContext, context: RequestContext, job_id: str) -> Response:
    """Accept the orders that are chosen as a new job, under the same keys; answered as a batch is."""
    job = own_job(app, context, job_id)
    context.job_id = None
    if not job.done:
        raise ApiError(
            409, "The job is not done; retry it when it is, or cancel it first.", headers=retry_after(job)
        )
    keys: list[str] = []
    idempotency_key = read_idempotency_key(request.headers.get("Idempotency-Key"))

    def choose(sent: SentBody) -> tuple[Batch, JobRetry | None]:
        choice = read_choice(sent.body, sent.settings)
        check_key_unused(app.engine, job.client_id, idempotency_key)
        try:
            chosen = choose_orders(app, job, choice, sent.reserve)
        except ApiError:
            # The same request may have been stored meanwhile, by which these orders are under way.
            check_key_unused(app.engine, job.client_id, idempotency_key)
            raise
        keys.extend(chosen.batch.keys)
        return chosen.batch, chosen.retry

    endpoint = OrdersEndpoint(
        form=job.form,
        read=choose,
        key_in_path=f"retry of {job.id}",
        options=job.options.of_retry(),
        by_line_refused="A retry is sent as application/json.",
    )
    try:
        return create_job(app, context, endpoint)
    except KeysRetriedError as error:
        raise keys_taken(key for key in keys if key_hash(key) in error.hashes) from None
