"""What must hold in the database once everything has been healed, as accusations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.invariants import broken_invariants

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SHOWN = 3


@dataclass(frozen=True)
class Violation:
    """A promise that was broken, and how: one sentence."""

    promise: str
    what: str


def broken_promises(engine: Engine) -> list[Violation]:
    """Whatever does not hold, now that nothing goes on any more."""
    return [
        Violation(promise, f"{len(rows)} rows, such as {'; '.join(str(row) for row in rows[:_SHOWN])}")
        for promise, rows in broken_invariants(engine, at_rest=True).items()
    ]
