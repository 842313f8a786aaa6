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
    """A rule that was broken, and how: one sentence."""

    rule: str
    what: str


def violated_rules(engine: Engine) -> list[Violation]:
    """Whatever does not hold, now that nothing goes on any more."""
    return [
        Violation(rule, f"{len(rows)} rows, such as {'; '.join(str(row) for row in rows[:_SHOWN])}")
        for rule, rows in broken_invariants(engine, at_rest=True).items()
    ]
