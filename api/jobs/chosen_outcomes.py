"""Outcomes that are chosen one by one: read in runs of slices, each beside what was sent."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from api.jobs.pieces import PIECE_BYTES, read_again
from api.web.errors import ApiError
from shared.persistence.jobs.chosen_outcomes import read_slices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from shared.domain.outcome_filter import OutcomeFilter
    from shared.persistence.jobs.chosen_outcomes import ChosenSlices, DecidedSlice


class ChosenOutcome(NamedTuple):
    """An outcome as it was stored, its key and its position in the batch, and the order as it was sent."""

    key: str
    position: int
    outcome: msgspec.Raw
    sent: msgspec.Raw | None


class _Error(msgspec.Struct):
    reason: str = ""


class Decision(msgspec.Struct):
    """What of an outcome it is chosen by."""

    status: str
    code: int | None = None
    retryable: bool = False
    errors: list[_Error] = []

    @property
    def ok(self) -> bool:
        """Whether the order was made."""
        return self.status == "ok"

    @property
    def reasons(self) -> frozenset[str]:
        """Why it was not."""
        return frozenset(error.reason for error in self.errors)


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DECISION = msgspec.json.Decoder(Decision)


def read_decision(outcome: msgspec.Raw) -> Decision:
    """Read what an outcome is chosen by."""
    return _DECISION.decode(outcome)


def chosen_by_run(
    engine: Engine, found: ChosenSlices, wanted: OutcomeFilter
) -> Iterator[list[ChosenOutcome]]:
    """Read run after run, and give what is chosen of each. Raises OutcomesGoneError, PersistenceError."""
    for slice_ids in found.runs(PIECE_BYTES):
        read = partial(read_slices, engine, slice_ids, with_bodies=found.with_bodies)
        # Not kept in a name: it is waited for here until the client has taken the piece.
        yield [chosen for decided in read_again(read) for chosen in _chosen_of(decided, wanted)]


def last_of_page(engine: Engine, found: ChosenSlices, wanted: OutcomeFilter, limit: int) -> int | None:
    """The position of the last of so many chosen outcomes; None where no others follow it."""
    positions = (chosen.position for run in chosen_by_run(engine, found, wanted) for chosen in run)
    page = list(islice(positions, limit + 1))
    return page[limit - 1] if len(page) > limit else None


def _chosen_of(decided: DecidedSlice, wanted: OutcomeFilter) -> Iterator[ChosenOutcome]:
    sent = {} if decided.body is None else _MEMBERS.decode(decided.body)
    members = _MEMBERS.decode(decided.outcomes).items()
    for position, (key, outcome) in enumerate(members, decided.first_position):
        if wanted.has_position(position) and _has_outcome(wanted, outcome):
            yield ChosenOutcome(key, position, outcome, sent.get(key))


def _has_outcome(wanted: OutcomeFilter, outcome: msgspec.Raw) -> bool:
    if not wanted.reads_outcomes:
        return True
    read = read_decision(outcome)
    return wanted.has_outcome(ok=read.ok, code=read.code, reasons=read.reasons)


def bodies_gone(days: int, way_out: str) -> ApiError:
    """The error where what was sent is asked for and no longer kept; ``way_out`` ends its sentence."""
    return ApiError(410, f"What was sent is kept for {days} days after a job's end, and is gone: {way_out}")
