"""The Celery tasks: thin covers of the use cases. Whatever goes wrong, the slice's row knows what is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from celery import Celery

from shared.job_queue import SEND_CONFIRMATION, SETTLE_SLICE
from shared.persistence.errors import PersistenceError, TransientError
from worker.mail.confirm import confirm_order
from worker.mail.mail_room import MailRoom
from worker.settle import settle_slice
from worker.workshop import Workshop

log = structlog.get_logger()


def register_tasks(
    app: Celery,
    workshop: Callable[[], Workshop],
    mail_room: Callable[[], MailRoom],
    stopping: threading.Event,
) -> None:
    """Give the application its tasks. Once ``stopping`` is set no mail is begun."""

    @app.task(name=SETTLE_SLICE)  # type: ignore[untyped-decorator]
    def settle(slice_id: int) -> None:
        run_settle(workshop, slice_id)

    @app.task(name=SEND_CONFIRMATION)  # type: ignore[untyped-decorator]
    def confirm(order_number: int) -> None:
        # A mailer has fetched more than it could finish in its grace; these go out after the next sweep.
        if not stopping.is_set():
            run_confirm(mail_room, order_number)


def run_settle(workshop: Callable[[], Workshop], slice_id: int) -> None:
    """Settle a slice and log it. Nothing is raised: the sweeper dispatches again what stays undecided."""
    started = time.monotonic()
    structlog.contextvars.clear_contextvars()
    try:
        report = settle_slice(workshop(), slice_id)
    except TransientError as error:
        log.warning("slice_left_for_later", slice_id=slice_id, reason=str(error))
    except MemoryError:
        # Let through, it would make Celery raise it in the worker's main process, message after message.
        log.error("slice_out_of_memory", slice_id=slice_id)  # noqa: TRY400 - a traceback needs memory too
    except Exception:
        log.exception("slice_failed", slice_id=slice_id)
    else:
        took = round((time.monotonic() - started) * 1000, 1)
        if report is None:
            log.debug("slice_not_needed", slice_id=slice_id, duration_ms=took)
        else:
            log.info(
                "slice",
                slice=report.number,
                orders=report.orders,
                ok=report.ok,
                failed=report.orders - report.ok,
                duration_ms=took,
            )


def run_confirm(mail_room: Callable[[], MailRoom], order_number: int) -> None:
    """Send an order's confirmation. Nothing is raised: the sweeper dispatches again what still waits."""
    structlog.contextvars.clear_contextvars()
    try:
        confirm_order(mail_room(), order_number)
    except PersistenceError as error:
        log.warning("confirmation_not_written_down", order=order_number, reason=str(error))
    except Exception:
        log.exception("confirmation_failed", order=order_number)
