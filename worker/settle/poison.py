"""A slice that ended its worker time and again: cut up, until the one order that does it stands alone."""

from __future__ import annotations

import msgspec
import structlog

from shared.domain.rejections import given_up
from shared.persistence.database import transaction
from shared.persistence.slices import TakenSlice, claim_slice, cut_up
from worker.settle.close_slices import SliceReport, close_with
from worker.settle.work import members_of
from worker.workshop import Workshop

log = structlog.get_logger()


def settle_deadly(workshop: Workshop, taken: TakenSlice) -> SliceReport | None:
    """Cut the slice up, or give its only order up. Nothing in it is read but the keys."""
    members = members_of(taken)
    with transaction(workshop.engine) as connection:
        if claim_slice(connection, taken.id) is None:
            return None
        if len(members) == 1:
            (key,) = members
            attempts = taken.attempts - 1
            log.error("order_given_up", position=taken.first_position, attempts=attempts)
            (report,) = close_with(connection, [(taken, [(key, given_up(attempts))])])
            return report
        log.error("slice_cut_up", slice=taken.number, attempts=taken.attempts - 1, orders=len(members))
        pieces = [(msgspec.json.encode(key).decode(), bytes(order)) for key, order in members.items()]
        cut_up(connection, taken, pieces)
    return None
