"""Slices of cancelled jobs: what is claimed after the cancellation is not decided any more."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from shared.domain.rejections import cancelled
from shared.persistence.jobs.slices import Claim
from worker.settle.work import Placed, Work, members_of


def place_unless_cancelled(work: Work, connection: Connection, claim: Claim) -> Placed:
    """Give what the claimed slices come to, after writing what those of jobs that go on ask for.

    One that is withheld is to be cut up; that writes no order, and its pieces come here one by one.
    """
    stopped = [one for one in work.slices if one.id in claim.cancelled_ids and not one.withheld]
    if not stopped:
        return work.place(connection, claim)
    left = replace(claim, slice_ids=claim.slice_ids - {one.id for one in stopped})
    placed = work.place(connection, left) if left.slice_ids else []
    for one in stopped:
        placed.append((one, [(key, cancelled()) for key in members_of(one)]))
    return placed
