"""Dry runs: a slice is placed as any other, and all that it has written is taken back before it is closed.

It is the same decision on the same locked rows. The slices of such a job go one after the other; what the
earlier ones would have taken is written down beside the job, and is gone for the next one. No lock outlasts a
slice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import Connection

from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import Creatable, Created, Outcome, Prepared, Rejected
from shared.persistence.jobs.dry_run import DryRun, earlier_numbers, remember
from shared.persistence.jobs.slices import Claim, TakenSlice
from shared.persistence.orders.insert import taken_numbers
from worker.settle.work import Placed, Placing


def taking_back(taken: TakenSlice, place: Placing, numbers_named: Collection[int]) -> Placing:
    """What places the orders of a slice as ``place`` does, and leaves nothing but their outcomes.

    ``numbers_named`` are the order numbers that an earlier slice may have been given.
    """
    is_first = taken.first_position == 0
    # Nobody comes after the last one.
    is_last = taken.first_position + taken.order_count == taken.job_total

    def place_and_take_back(connection: Connection, claim: Claim) -> Placed:
        gone = {} if is_first else earlier_numbers(connection, taken.job_id, numbers_named)
        dry_run = DryRun(taken.job_id, is_first, gone)
        savepoint = connection.begin_nested()
        placed = place(connection, replace(claim, dry_run=dry_run))
        numbers = {} if is_last else taken_numbers(connection, _chosen_numbers(placed))
        savepoint.rollback()
        if not is_last:
            remember(connection, dry_run, numbers)
        return [(one, [(key, _as_told(outcome)) for key, outcome in keyed]) for one, keyed in placed]

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


def _as_told(outcome: Outcome) -> Outcome:
    return outcome if isinstance(outcome, Rejected) else Creatable(outcome.ignored)
