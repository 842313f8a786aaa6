"""The Celery tasks: thin covers of the use cases. Whatever goes wrong, the slice's row knows what is left."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from celery import Celery, Task

from shared.domain.slicing import LARGE_QUEUE, SLICE_QUEUES
from shared.persistence.core.errors import PersistenceError
from shared.queue.job_queue import SEND_CONFIRMATION, SETTLE_SLICE
from worker.context import WorkerContext
from worker.mail.confirm import confirm_order
from worker.mail.context import MailContext
from worker.settle.message import settle_message

log = structlog.get_logger()

_MOST_ID = 2**63 - 1
"""The database has no greater ids."""


def register_tasks(
    app: Celery,
    context: Callable[[], WorkerContext],
    mail_context: Callable[[], MailContext],
    stopping: threading.Event,
) -> None:
    """Give the application its tasks. Once ``stopping`` is set no mail is begun."""

    @app.task(name=SETTLE_SLICE, bind=True)  # type: ignore[untyped-decorator]  # Celery has no types
    def settle(self: Task, slice_ids: object) -> None:
        came_from = self.request.delivery_info.get("routing_key")
        run_settle(context, slice_ids, came_from if came_from in SLICE_QUEUES else LARGE_QUEUE)

    @app.task(name=SEND_CONFIRMATION)  # type: ignore[untyped-decorator]  # Celery has no types
    def confirm(order_number: int) -> None:
        # A mailer has fetched more than it could finish in its grace; these go out after the next sweep.
        if not stopping.is_set():
            run_confirm(mail_context, order_number)


def run_settle(context: Callable[[], WorkerContext], slice_ids: object, queue: str) -> None:
    """Settle the slices of a message of ``queue``: the id of one, or a list of ids. Nothing is raised."""
    structlog.contextvars.clear_contextvars()
    understood = _ids_of(slice_ids)
    if understood is None:
        log.warning("message_not_understood", task=SETTLE_SLICE)
        return
    try:
        settle_message(context(), understood, queue)
    except Exception:
        # Not a slice's fault, which settles by itself.
        log.exception("slices_failed", slice_ids=understood)


def _ids_of(argument: object) -> list[int] | None:
    """What a message says; None: it is not one of ours, and nobody is to stop for it."""
    several = argument if isinstance(argument, list) else [argument]
    return [one for one in several if type(one) is int and 0 < one <= _MOST_ID] or None


def run_confirm(mail_context: Callable[[], MailContext], order_number: int) -> None:
    """Send an order's confirmation. Nothing is raised: the sweeper dispatches again what still waits."""
    structlog.contextvars.clear_contextvars()
    try:
        confirm_order(mail_context(), order_number)
    except PersistenceError as error:
        log.warning("confirmation_not_written_down", order=order_number, reason=str(error))
    except Exception:
        log.exception("confirmation_failed", order=order_number)
