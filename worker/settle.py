"""The use case: a slice id in; its orders, their stock and their outcomes written together."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
import structlog

from shared.domain.outcome import Outcome, Rejected
from shared.persistence.database import transaction
from shared.persistence.errors import TransientError
from shared.persistence.slices import TakenSlice, claim_slice, close_slice, take_slice
from shared.schemas.outcome import keyed_outcomes_json
from worker.complete_order import read_completions
from worker.place_orders import read_orders
from worker.work import Place, Work
from worker.workshop import Workshop

log = structlog.get_logger()

_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class SliceReport:
    """What a settled slice came to."""

    job_id: UUID
    number: int
    orders: int
    ok: int


def settle_slice(workshop: Workshop, slice_id: int) -> SliceReport | None:
    """Give every order of the slice its outcome. None: there was nothing to do, or another one does it.

    Raises TransientError when trying again later may help: the slice stays undecided and is dispatched again.
    """
    taken = take_slice(workshop.engine, slice_id)
    if taken is None:
        return None
    structlog.contextvars.bind_contextvars(request_id=taken.request_id, job_id=str(taken.job_id))
    report = _settle_patiently(workshop, taken, _read(workshop, taken))
    if report is not None:
        workshop.events.announce(report.job_id, report.number)
    return report


def _read(workshop: Workshop, taken: TakenSlice) -> Work:
    """What the slice asks for, read before any row is locked."""
    members = _BODY.decode(taken.body)
    if taken.form == "completion":
        return read_completions(workshop, taken, members)
    return read_orders(workshop, taken, members)


def _settle_patiently(workshop: Workshop, taken: TakenSlice, work: Work) -> SliceReport | None:
    place, attempt = work.all_at_once, 1
    while True:
        try:
            return _settle(workshop, taken, place)
        except TransientError as error:
            if attempt >= workshop.settings.slice_tries_max:
                raise
            log.info("slice_tried_again", slice=taken.number, attempt=attempt, reason=str(error))
            # Jitter: two slices that met in a deadlock must not meet again.
            time.sleep(random.uniform(0.5, 1.5) * 0.05 * 2**attempt)  # noqa: S311 - not a secret
            attempt += 1
        except MemoryError:
            raise
        except Exception:
            # A fault of the data or of ours: it will not pass, but it need not cost the whole slice.
            if place is work.one_by_one:
                raise
            log.exception("slice_redone_one_by_one", slice=taken.number)
            place = work.one_by_one


def _settle(workshop: Workshop, taken: TakenSlice, place: Place) -> SliceReport | None:
    with transaction(workshop.engine) as connection:
        claim = claim_slice(connection, taken.id)
        if claim is None:
            return None
        keyed = place(connection, claim)
        ok, codes = _count([outcome for _, outcome in keyed])
        close_slice(connection, taken.id, keyed_outcomes_json(keyed), ok, codes)
    return SliceReport(taken.job_id, taken.number, len(keyed), ok)


def _count(outcomes: Sequence[Outcome]) -> tuple[int, dict[str, int]]:
    codes: dict[str, int] = {}
    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            codes[str(int(outcome.code))] = codes.get(str(int(outcome.code)), 0) + 1
    return len(outcomes) - sum(codes.values()), codes
