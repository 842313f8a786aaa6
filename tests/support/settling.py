"""Settling one slice, as the tests do it: what keeps it undecided is raised."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Engine

from shared.domain.slicing import LARGE_QUEUE
from shared.persistence.jobs.attempts import Attempt, TakeLimits, take_slices
from shared.persistence.jobs.slices import TakenSlice
from worker.context import WorkerContext
from worker.settle.close_slices import SliceReport
from worker.settle.message import settle_message


class LeftError(Exception):
    """The slice stays undecided; the words are why."""


def settle_slice(context: WorkerContext, slice_id: int) -> SliceReport | None:
    """Settle a slice. None: there was nothing to do, or another one does it. Raises LeftError."""
    settled = settle_message(context, [slice_id], LARGE_QUEUE)
    if slice_id in settled.left:
        raise LeftError(settled.left[slice_id])
    return settled.reports[0] if settled.reports else None


LIMITS = TakeLimits(bytes_max=8 * 1024 * 1024, attempts_max=5)


def attempt_at(*slice_ids: int, together: bool = False) -> Attempt:
    """A new attempt."""
    return Attempt(uuid4(), slice_ids, together)


def take_slice(engine: Engine, attempt: Attempt) -> TakenSlice:
    """Take the one slice of an attempt."""
    (taken,) = take_slices(engine, attempt, LIMITS)
    return taken
