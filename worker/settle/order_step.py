"""Steps of an order's life, as elements of a batch: which order each is for, and how its outcome is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from shared.domain.completion import no_such_order
from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import Fault, Rejected
from shared.persistence.jobs.slices import TakenSlice


class Read(Protocol):
    """What was read of a step: the number of its order, where it says one, and members that are none."""

    @property
    def order(self) -> int | None:
        """The number of the order."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Pointers to members that are no parameters."""


class Asked(Protocol):
    """A step that is asked for."""

    @property
    def number(self) -> int | None:
        """The number of its order; None: it could not be read."""


def order_of(taken: TakenSlice, key: str, read: Read) -> tuple[int | None, Fault]:
    """The number of a step's order, and the fault where there is none of it.

    In a batch a step says it; alone, the path has it, and the slice has it for a key.
    """
    if taken.form.is_keyed:
        return read.order, no_such_order(read.order, "/order")
    number = int(key) if len(key) <= len(str(MOST_NUMBER)) else MOST_NUMBER + 1
    return number, no_such_order(key)


def numbers_of(asked: Iterable[Asked]) -> set[int]:
    """The numbers that orders may have, of those that are asked for."""
    numbers = {one.number for one in asked}
    return {number for number in numbers if number is not None and number <= MOST_NUMBER}


def rejected(read: Read, rejection: Rejected) -> Rejected:
    """A rejection with what was ignored."""
    return replace(rejection, ignored=read.ignored) if read.ignored else rejection
