"""Faults and rejections that more than one part of the work makes."""

from __future__ import annotations

from shared.domain.outcome import Fault, Reason, Rejected, reject
from shared.domain.reasons import CANCELLED, GIVEN_UP, NOT_STORED, NUMBER_REPEATED, NUMBER_TAKEN, TOO_SLOW


def number_taken(number: int) -> Fault:
    """The fault of an order number that exists."""
    return _not_to_be_had(NUMBER_TAKEN, number, "exists")


def number_repeated(number: int) -> Fault:
    """The fault of an order number that an earlier order of the batch asks for."""
    return _not_to_be_had(NUMBER_REPEATED, number, "is used earlier in the same batch")


def _not_to_be_had(reason: Reason, number: int, why: str) -> Fault:
    msg = f"order number {number} {why}; leave it out to get the next one"
    return Fault(reason, "/orderNumber", msg, {"orderNumber": number})


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


def is_cancelled(outcome: Rejected) -> bool:
    """Whether an order was not rejected for what it is, but cancelled."""
    return any(fault.reason is CANCELLED for fault in outcome.faults)
