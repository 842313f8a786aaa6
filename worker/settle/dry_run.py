"""Dry runs: a slice is placed as any other, and all that it has written is taken back before it is closed.

It is the same decision on the same locked rows. The slices of such a job go one after the other; what the
earlier ones would have taken is written down beside the job, and taken again, for as long, before the next
one is decided. No lock outlasts a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from sqlalchemy import Connection

from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import Creatable, Created, Outcome, Prepared, Rejected
from shared.persistence.jobs.dry_run import earlier_numbers, holdings, remember, take_again
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.insert import taken_numbers
from worker.settle.work import Locked, Placed, Placing


def taking_back(
    taken: TakenSlice,
    place: Placing,
    lock: Callable[[Connection, Claim], Locked],
    numbers_named: Collection[int],
) -> Placing:
    """What places the orders of a slice as ``place`` does, and leaves nothing but their outcomes.

    ``lock`` locks at least the rows that ``place`` will ask for; ``numbers_named`` are the order numbers that
    an earlier slice may have been given.
    """

    def place_and_take_back(connection: Connection, claim: Claim) -> Placed:
        savepoint = connection.begin_nested()
        dry = replace(claim, dry_run=True)
        if taken.order_count == taken.job_total:
            # There is no other slice that would have to know of it.
            placed = place(connection, dry)
            savepoint.rollback()
            return _without_numbers(placed)
        locked = lock(connection, claim)
        take_again(connection, taken.job_id, locked.items, locked.vouchers)
        before = holdings(connection, locked.items, locked.vouchers)
        earlier = earlier_numbers(connection, taken.job_id, numbers_named)
        placed = place(connection, replace(dry, earlier_numbers=earlier))
        taken_now = holdings(connection, locked.items, locked.vouchers).since(before)
        numbers = taken_numbers(connection, _chosen_numbers(placed))
        savepoint.rollback()
        remember(connection, taken.job_id, taken_now, numbers)
        return _without_numbers(placed)

    return place_and_take_back


def _chosen_numbers(placed: Placed) -> list[int]:
    """The order numbers that were asked for, and given; those that were drawn are larger than any order's."""
    return [
        number
        for _, keyed in placed
        for _, outcome in keyed
        for number in _numbers(outcome)
        if number <= MOST_NUMBER
    ]


def _numbers(outcome: Outcome) -> tuple[int, ...]:
    match outcome:
        case Created(numbers):
            return numbers
        case Prepared(number):
            return (number,)
        case _:
            return ()


def _without_numbers(placed: Placed) -> Placed:
    return [(one, [(key, _as_told(outcome)) for key, outcome in keyed]) for one, keyed in placed]


def _as_told(outcome: Outcome) -> Outcome:
    return outcome if isinstance(outcome, Rejected) else Creatable(outcome.ignored)
