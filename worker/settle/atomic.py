"""Atomic batches: all orders of the one slice that such a batch is are made, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from shared.domain.outcome import Rejected
from shared.domain.rejections import batch_rejected
from shared.persistence.jobs.slices import Claim
from worker.settle.work import Keyed, Placed, Placing


def all_or_none(place: Placing) -> Placing:
    """What places as ``place`` does, and takes back all that it has written where one order is rejected."""

    def place_all(connection: Connection, claim: Claim) -> Placed:
        savepoint = connection.begin_nested()
        placed = place(connection, claim)
        rejected = [key for _, keyed in placed for key, outcome in keyed if isinstance(outcome, Rejected)]
        if not rejected:
            savepoint.commit()
            return placed
        savepoint.rollback()
        return [(taken, _none_of(keyed, rejected)) for taken, keyed in placed]

    return place_all


def _none_of(keyed: Sequence[Keyed], rejected: Sequence[str]) -> list[Keyed]:
    """The outcomes of orders of which these were rejected, and the others with them."""
    instead = batch_rejected(rejected[0], len(rejected))
    return [
        (key, outcome if isinstance(outcome, Rejected) else replace(instead, ignored=outcome.ignored))
        for key, outcome in keyed
    ]
