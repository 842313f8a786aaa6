"""Outcomes that are chosen one by one: read in runs of slices, each beside what was sent."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from api.jobs.pieces import PIECE_BYTES, read_again
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


class _Decision(msgspec.Struct):
    status: str
    code: int | None = None
    errors: list[_Error] = []


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DECISION = msgspec.json.Decoder(_Decision)


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
    read = _DECISION.decode(outcome)
    reasons = [error.reason for error in read.errors]
    return wanted.has_outcome(ok=read.status == "ok", code=read.code, reasons=reasons)
