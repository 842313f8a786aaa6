"""The invariants of ``tests.support.invariants``, as sentences that an assertion shows whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.invariants import broken_invariants

if TYPE_CHECKING:
    from sqlalchemy import Engine


def violated(engine: Engine) -> list[str]:
    """What does not hold, in words and with the rows at fault; nothing where all is well."""
    return [f"{promise}: {rows[:5]}" for promise, rows in broken_invariants(engine).items()]
