"""What settling asks of whatever a slice holds: outcomes by key, all at once or each behind a savepoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from shared.domain.outcome import Outcome, could_not_be_stored
from shared.persistence.errors import PermanentError, TransientError, translated
from shared.persistence.slices import Claim

log = structlog.get_logger()

ORDERS_ONE_PER_KEY = "orders_one_per_key"
ORDER_NUMBER = "orders_pkey"

_NUMBER_TRIES = 10

Place = Callable[[Connection, Claim], list[tuple[str, Outcome]]]
"""Writes what a slice asks for, in its transaction, and gives the outcome under each key, in order."""


@dataclass(frozen=True, slots=True)
class Work:
    """The two ways of doing a slice; the second is for when the first met a fault that will not pass."""

    all_at_once: Place
    one_by_one: Place


def behind_savepoint(connection: Connection, request_id: str, place: Callable[[], Outcome]) -> Outcome:
    """Place one order; what cannot be decided or written costs only itself.

    Raises TransientError, which concerns the slice, and PermanentError where its orders exist already: a "no"
    would be a lie.
    """
    for _ in range(_NUMBER_TRIES):
        try:
            with translated(), connection.begin_nested():
                return place()
        except (TransientError, MemoryError):
            raise
        except PermanentError as error:
            if error.constraint == ORDERS_ONE_PER_KEY:
                raise
            if error.constraint == ORDER_NUMBER:
                # Another slice has just committed this number. It can be seen now: an automatic one steps
                # around it, an explicit one is told as taken.
                continue
            log.exception("order_not_stored", constraint=error.constraint)
            break
        except Exception:
            log.exception("order_not_decided")
            break
    return could_not_be_stored(request_id)
