"""Jobs to be stored, with slices of ten orders, and a look at their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import uuid6
from sqlalchemy import text

from shared.domain.job import Job
from shared.persistence.core.database import transaction
from shared.persistence.jobs.close import ClosedSlice, close_slices
from shared.persistence.jobs.insert import NewJob, NewSlice
from shared.persistence.jobs.slices import claim_slice

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@dataclass
class Slices:
    """Slices of ten orders each."""

    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[NewSlice]:
        for number in range(self.count):
            yield NewSlice(
                number=number,
                first_position=number * 10,
                order_count=10,
                body=b'{"\\u0000":%d,"\xff raw":1}' % number,
                repeated_numbers=[number * 10 + 3] if number == 1 else [],
            )


def new_job_of(api_key_id: int, total: int) -> NewJob:
    job = Job(
        id=uuid6.uuid7(),
        # Of the tests' clients each has one key, and both are numbered from 1.
        client_id=api_key_id,
        api_key_id=api_key_id,
        request_id="r-1",
        total=total,
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
    )
    return NewJob(job=job, strict=True, queue="orders.large", dispatch_after_seconds=30)


def close_slice(
    engine: Engine, slice_id: int, outcomes: bytes, ok: int, codes: dict[str, int] | None = None
) -> None:
    """Close a slice that is open, as a worker does."""
    query = text(
        "SELECT job_id, order_count, total FROM slices JOIN jobs ON jobs.id = job_id WHERE slices.id = :id"
    )
    with transaction(engine) as connection:
        if claim_slice(connection, slice_id) is None:
            return
        found = connection.execute(query, {"id": slice_id}).one()
        closed = ClosedSlice(
            id=slice_id,
            job_id=found.job_id,
            order_count=found.order_count,
            job_total=found.total,
            outcomes=outcomes,
            ok_count=ok,
            codes=codes or {},
        )
        close_slices(connection, [closed])


def rows(engine: Engine, query: str, **values: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query), values))
