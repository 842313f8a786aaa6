"""What a hostile check is: something done to ordermill, and what it cost beside what it may cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hostile.ground import Ground

MIB = 1 << 20


@dataclass(frozen=True)
class Cost:
    """Something that was measured; ``at_most`` is in the same unit, None where it is only worth telling."""

    what: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def is_kept(self) -> bool:
        return self.at_most is None or self.value <= self.at_most


Check = Callable[["Ground"], Iterator[Cost]]
"""Named by its rule; it asserts what must be so, and yields what it cost. Its docstring says what is done."""


@dataclass(frozen=True)
class Result:
    """What came of a check. ``fault`` is what went wrong beside bounds that were not kept, or ``""``."""

    name: str
    costs: Sequence[Cost]
    seconds: float
    fault: str = ""

    @property
    def is_kept(self) -> bool:
        return not self.fault and all(cost.is_kept for cost in self.costs)


def run_check(check: Check, ground: Ground) -> Result:
    """Run one check to its end; whatever it raises is its failure, and ends no other check."""
    costs: list[Cost] = []
    begun = time.monotonic()
    fault = ""
    try:
        for cost in check(ground):
            costs.append(cost)  # noqa: PERF402 - one by one: what was measured before a fault is told
    except Exception as error:  # noqa: BLE001 - it is told, and fails the run
        fault = f"{type(error).__name__}: {error}"
    return Result(check.__name__, costs, time.monotonic() - begun, fault)
