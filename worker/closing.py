"""Closing a slice with its outcomes, and the report of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from shared.domain.outcome import Created, Outcome, Rejected
from shared.persistence.slices import TakenSlice, close_slice
from shared.schemas.outcome import keyed_outcomes_json


@dataclass(frozen=True, slots=True)
class SliceReport:
    """What a settled slice came to."""

    job_id: UUID
    number: int
    orders: int
    ok: int
    first_numbers: tuple[int, ...] = ()
    """The first number of each order that was created or completed."""


def close_with(
    connection: Connection, taken: TakenSlice, keyed: Sequence[tuple[str, Outcome]]
) -> SliceReport:
    """Write the outcomes of a claimed slice and close it; they count once the transaction commits."""
    codes: dict[str, int] = {}
    for _, outcome in keyed:
        if isinstance(outcome, Rejected):
            codes[str(int(outcome.code))] = codes.get(str(int(outcome.code)), 0) + 1
    ok = len(keyed) - sum(codes.values())
    close_slice(connection, taken.id, keyed_outcomes_json(keyed), ok, codes)
    first_numbers = tuple(outcome.numbers[0] for _, outcome in keyed if isinstance(outcome, Created))
    return SliceReport(taken.job_id, taken.number, len(keyed), ok, first_numbers)
