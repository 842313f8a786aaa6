"""Faults and rejections that more than one part of the work makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.outcome import Fault, Reason, Rejected, quoted, reject
from shared.domain.reasons import (
    BATCH_REJECTED,
    CANCELLED,
    GIVEN_UP,
    KEY_EXISTS,
    NOT_STORED,
    NUMBER_REPEATED,
    NUMBER_TAKEN,
    ORDER_CANCELLED,
    ORDER_PREPARED,
    TOO_SLOW,
)

_NUMBERS_IN_MESSAGE = 3


def number_taken(number: int) -> Fault:
    """The fault of an order number that exists."""
    return _not_to_be_had(NUMBER_TAKEN, number, "exists")


def number_repeated(number: int) -> Fault:
    """The fault of an order number that an earlier order of the batch asks for."""
    return _not_to_be_had(NUMBER_REPEATED, number, "is used earlier in the same batch")


def _not_to_be_had(reason: Reason, number: int, why: str) -> Fault:
    msg = f"order number {number} {why}; leave it out to get the next one"
    return Fault(reason, "/orderNumber", msg, {"orderNumber": number})


def key_exists(key: str, numbers: Sequence[int]) -> Rejected:
    """The outcome of an order whose key has made these orders (at least one) before."""
    shown = [str(number) for number in numbers[:_NUMBERS_IN_MESSAGE]]
    if more := len(numbers) - len(shown):
        shown.append(f"{more} more")
    listed = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    orders = "order" if len(numbers) == 1 else "orders"
    msg = f"the key {quoted(key)} has made {orders} {listed} before; what is another order needs another key"
    fault = Fault(KEY_EXISTS, "", msg, {"orders": list(numbers)})
    return replace(reject([fault]), numbers=tuple(numbers))


def given_up(attempts: int) -> Rejected:
    """The outcome of an order that killed its worker every time."""
    msg = (
        f"given up after {attempts} attempts, each of which ended its worker or took too long; "
        "send it again, or tell us"
    )
    return reject([Fault(GIVEN_UP, "", msg, {"attempts": attempts})])


def too_slow(limit_seconds: float) -> Rejected:
    """The outcome of an order that takes too long to be read or decided."""
    msg = (
        f"given up: it took more than {limit_seconds:g} seconds of processor time to be read and decided; "
        "send less in one order"
    )
    return reject([Fault(TOO_SLOW, "", msg, {"seconds": limit_seconds})])


def could_not_be_stored(request_id: str) -> Rejected:
    """The outcome of an order that cannot be read, decided or written, whatever is tried."""
    msg = f"the order could not be stored; tell us the request id {request_id}"
    return reject([Fault(NOT_STORED, "", msg, {"requestId": request_id})])


def cancelled() -> Rejected:
    """The outcome of an order whose job was cancelled before it was decided."""
    msg = "the job was cancelled before this order was decided; nothing of it exists: retry the job"
    return reject([Fault(CANCELLED, "", msg)])


def batch_rejected(first_key: str, count: int) -> Rejected:
    """The outcome of an order of an atomic batch, of whose others so many were rejected, this one first."""
    others = "" if count == 1 else f" (and {count - 1} more)"
    msg = (
        f"the order under {quoted(first_key)}{others} was rejected, and of an atomic batch all orders are "
        "made or none; correct the batch, and send it again"
    )
    return reject([Fault(BATCH_REJECTED, "", msg, {"rejected": count})])


def is_cancelled(outcome: Rejected) -> bool:
    """Whether an order was not rejected for what it is, but cancelled."""
    return any(fault.reason is CANCELLED for fault in outcome.faults)


def order_cancelled(number: int) -> Fault:
    """The fault of taking a cancelled order any further."""
    return Fault(ORDER_CANCELLED, "", f"order {number} is cancelled; place a new one")


def order_prepared(number: int) -> Fault:
    """The fault of shipping an order that is not completed."""
    return Fault(ORDER_PREPARED, "", f"order {number} is prepared; complete it before anything of it ships")
