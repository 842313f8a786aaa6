"""What settling asks of whatever slices hold: outcomes by key, all at once or each behind a savepoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy import Connection

from shared.domain.outcome import Outcome
from shared.domain.rejections import could_not_be_stored
from shared.persistence.errors import PermanentError, TransientError, translated
from shared.persistence.slices import Claim, TakenSlice

log = structlog.get_logger()

ORDERS_ONE_PER_KEY = "orders_one_per_key"
ORDER_NUMBER = "orders_pkey"

_NUMBER_TRIES = 10
_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])

Keyed = tuple[str, Outcome]
Placed = list[tuple[TakenSlice, list[Keyed]]]
"""Slices, each with the outcome under each of its keys, in order."""

Place = Callable[[Connection, Claim], Placed]
"""Writes what the claimed slices ask for, in their transaction."""


@dataclass(frozen=True, slots=True)
class Work:
    """The two ways of doing slices; the second is for when the first met a fault that will not pass.

    Without a second one, that fault ends the work: each of the slices is to be done alone then.
    """

    all_at_once: Place
    one_by_one: Place | None


def members_of(taken: TakenSlice) -> dict[str, msgspec.Raw]:
    """What a slice holds, by key: each as its bytes were sent."""
    return _BODY.decode(taken.body)


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
