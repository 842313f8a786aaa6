"""Work of a transaction: what slices ask of it, outcomes by key; and the savepoint of one order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy import Connection

from shared.domain.outcome import Outcome
from shared.domain.rejections import could_not_be_stored, too_slow
from shared.persistence.core.errors import PermanentError, TransientError, translated
from shared.persistence.jobs.slices import Claim, TakenSlice
from worker.settle.time_limits import OrderTooSlowError

log = structlog.get_logger()

ONE_PER_KEY = frozenset({"orders_one_per_key", "shipments_one_per_key"})
"""The constraints that what a key asks for is there already."""

ORDER_NUMBER = "orders_pkey"

_NUMBER_TRIES = 10
_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])

Keyed = tuple[str, Outcome]
Placed = list[tuple[TakenSlice, list[Keyed]]]
"""Slices, each with the outcome under each of its keys, in order."""

Placing = Callable[[Connection, Claim], Placed]
"""Writes what the claimed slices ask for, in their transaction."""


@dataclass(frozen=True, slots=True)
class Work:
    """What slices ask of one transaction."""

    slices: Sequence[TakenSlice]
    place: Placing
    later: Sequence[TakenSlice] = ()
    """Slices that were taken with these, and are for a transaction after theirs."""


def members_of(taken: TakenSlice) -> dict[str, msgspec.Raw]:
    """What a slice holds, by key: each as its bytes were sent."""
    return _BODY.decode(taken.body)


def behind_savepoint(
    connection: Connection, request_id: str, limit_seconds: float, place: Callable[[], Outcome]
) -> Outcome:
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
            if error.constraint in ONE_PER_KEY:
                raise
            if error.constraint == ORDER_NUMBER:
                # Another slice has just committed this number. It can be seen now: an automatic one steps
                # around it, an explicit one is told as taken.
                continue
            log.exception("order_not_stored", constraint=error.constraint)
            return could_not_be_stored(request_id)
        except OrderTooSlowError:
            log.error("order_too_slow", limit_seconds=limit_seconds)  # noqa: TRY400 - where it stood says little
            return too_slow(limit_seconds)
        except Exception:
            log.exception("order_not_decided")
            return could_not_be_stored(request_id)
    # Others took each number that was drawn; that is nobody's fault, and not for ever.
    raise TransientError("every order number that was drawn was taken meanwhile")
