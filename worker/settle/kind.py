"""A kind of batch, as the worker settles it: its elements read, and placed in their slices' transaction.

Savepoints, cancellation, what is too much for one transaction: all of that is the same for every kind, and
stands here or above. A kind says how its elements are read, locked, decided and written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

import msgspec
import structlog
from sqlalchemy import Connection

from shared.domain.outcome import Fault, Outcome
from shared.domain.rejections import could_not_be_stored, too_slow
from shared.persistence.jobs.slices import Claim, TakenSlice
from worker.context import WorkerContext
from worker.settle.atomic import all_or_none
from worker.settle.dry_run import taking_back
from worker.settle.time_limits import OrderClock, OrderTooSlowError
from worker.settle.work import Keyed, Placed, Placing, Work, behind_savepoint

log = structlog.get_logger()


class Element(Protocol):
    """One element of a batch: its slice, its place in the batch, its key, and what it asks for."""

    @property
    def taken(self) -> TakenSlice:
        """The slice that holds it."""

    @property
    def key(self) -> str:
        """Its key in the batch."""

    @property
    def line_count(self) -> int:
        """How much of a transaction it takes, as far as can be seen without the database."""

    @property
    def number(self) -> int | None:
        """The order number that it asks to be given, if it does: one slice of a transaction may."""


E = TypeVar("E", bound=Element)
R = TypeVar("R")
PlaceNew = Callable[[Sequence[E]], Sequence[Outcome]]
"""Places some of a transaction's elements."""


def all_at_once(elements: Sequence[E]) -> list[Sequence[E]]:
    """One run: no element has to be written before another one is looked up."""
    return [elements]


def no_numbers(_: Sequence[Element]) -> set[int]:
    """None: no element asks for a number, or names that of another one."""
    return set()


@dataclass(frozen=True, kw_only=True)
class Settling(Generic[E]):
    """How the elements of one kind are settled."""

    read: Callable[[WorkerContext, TakenSlice], list[E]]
    """A slice's elements, in order. What is wrong with one is kept with it: nothing of that is raised."""
    lock: Callable[[WorkerContext, Connection, Claim, Sequence[E]], None]
    """Locks at least the rows that these will ask for, at once, and so in the house's one order."""
    place: Callable[[WorkerContext, Connection, Claim, Sequence[E]], list[Outcome]]
    """Decides them in order and writes what they bring about, with a fixed number of statements. Gives the
    outcome of each."""
    runs: Callable[[Sequence[E]], list[Sequence[E]]] = all_at_once
    """The elements in runs, each of which is looked up when those before it have been written."""
    numbers: Callable[[Sequence[E]], set[int]] = no_numbers
    """The order numbers that an element before these may have been given."""
    under_new_keys: Callable[[Connection, Sequence[E], PlaceNew[E]], list[Outcome]] | None = None
    """Places with what it is given those whose keys have made nothing before, where their batches ask for
    that; None: they cannot."""


def work_of(
    settling: Settling[E], context: WorkerContext, slices: Sequence[TakenSlice], *, apart: bool
) -> Work:
    """What slices of one kind ask for; of several, as many as one transaction should do.

    ``apart``: each element behind a savepoint.
    """
    elements, now, later = _read(settling, context, slices)

    def together(connection: Connection, claim: Claim) -> Placed:
        held = [element for element in elements if element.taken.id in claim.slice_ids]
        runs = settling.runs(held)
        if len(runs) == 1:
            return _by_slice(held, settling.place(context, connection, claim, held))
        return _by_slice(held, _run_by_run(settling, context, connection, claim, held))

    def one_by_one(connection: Connection, claim: Claim) -> Placed:
        return _by_slice(elements, _one_by_one(settling, context, connection, claim, elements))

    under_new_keys = settling.under_new_keys
    if under_new_keys is None or not any(taken.options.unique_keys for taken in now):
        return Work(now, _as_asked(settling, elements, one_by_one if apart else together), later)

    def once_a_key(connection: Connection, claim: Claim) -> Placed:
        held = [element for element in elements if element.taken.id in claim.slice_ids]
        place = partial(_one_by_one if apart else _run_by_run, settling, context, connection, claim)
        return _by_slice(held, under_new_keys(connection, held, place))

    return Work(now, _as_asked(settling, elements, once_a_key), later)


def _as_asked(settling: Settling[E], elements: Sequence[E], place: Placing) -> Placing:
    """What places elements as their batch asks for. One that asks for this shares no transaction."""
    taken = elements[0].taken
    if taken.options.atomic:
        place = all_or_none(place)
    if taken.options.dry_run:
        place = taking_back(taken, place, settling.numbers(elements))
    return place


def _read(
    settling: Settling[E], context: WorkerContext, slices: Sequence[TakenSlice]
) -> tuple[list[E], list[TakenSlice], list[TakenSlice]]:
    """The elements of as many slices as one transaction should do; these, and those that are left."""
    elements: list[E] = []
    now: list[TakenSlice] = []
    later: list[TakenSlice] = []
    alone: set[object] = set()
    lines = 0
    for taken in slices:
        if now and lines >= context.settings.settle_max_lines:
            later.append(taken)
            continue
        read = settling.read(context, taken)
        asked_for = _not_shared(taken, read)
        # The second slice that asks for an order number has to see that the first one got it.
        if asked_for & alone:
            later.append(taken)
            continue
        alone |= asked_for
        now.append(taken)
        elements += read
        lines += sum(element.line_count for element in read)
    return elements, now, later


def _not_shared(taken: TakenSlice, elements: Sequence[Element]) -> set[object]:
    """What only one slice of a transaction can ask for: order numbers, and keys that are to be unique."""
    asked_for: set[object] = {element.number for element in elements if element.number is not None}
    if taken.options.unique_keys:
        asked_for.update((taken.client_id, element.key) for element in elements)
    return asked_for


def _run_by_run(
    settling: Settling[E], context: WorkerContext, connection: Connection, claim: Claim, held: Sequence[E]
) -> list[Outcome]:
    runs = settling.runs(held)
    if len(runs) > 1:
        settling.lock(context, connection, claim, held)
    return [outcome for run in runs for outcome in settling.place(context, connection, claim, run)]


def _one_by_one(
    settling: Settling[E], context: WorkerContext, connection: Connection, claim: Claim, held: Sequence[E]
) -> list[Outcome]:
    # Nothing is decided before the savepoints, for that is where the fault may be.
    settling.lock(context, connection, claim, held)
    place = partial(_place_one, settling, context, connection, claim)
    limit_seconds = context.order_clock.limit_seconds
    return [
        behind_savepoint(connection, one.taken.request_id, limit_seconds, partial(place, one)) for one in held
    ]


def _place_one(
    settling: Settling[E], context: WorkerContext, connection: Connection, claim: Claim, element: E
) -> Outcome:
    return settling.place(context, connection, claim, [element])[0]


def _by_slice(elements: Sequence[Element], outcomes: Sequence[Outcome]) -> Placed:
    slices = {element.taken.id: element.taken for element in elements}
    keyed: dict[int, list[Keyed]] = {slice_id: [] for slice_id in slices}
    for element, outcome in zip(elements, outcomes, strict=True):
        keyed[element.taken.id].append((element.key, outcome))
    return [(slices[slice_id], of) for slice_id, of in keyed.items()]


def read_one(
    clock: OrderClock,
    read: Callable[[msgspec.Raw], R],
    raw: msgspec.Raw,
    taken: TakenSlice,
    faulty: Callable[[tuple[Fault, ...]], R],
) -> R:
    """What ``read`` makes of an element; what ``faulty`` makes of it where that fails or takes too long."""
    try:
        with clock:
            return read(raw)
    except MemoryError:
        raise
    except OrderTooSlowError:
        log_too_slow(clock, taken)
        return faulty(too_slow(clock.limit_seconds).faults)
    except Exception:
        # A fault of ours; the slice's other elements have nothing to do with it.
        log.exception("order_not_read", request_id=taken.request_id, job_id=str(taken.job_id))
        return faulty(could_not_be_stored(taken.request_id).faults)


def log_too_slow(clock: OrderClock, taken: TakenSlice) -> None:
    """Log that an element of a slice took too long to be read or decided."""
    told = {"request_id": taken.request_id, "job_id": str(taken.job_id)}
    log.error("order_too_slow", limit_seconds=clock.limit_seconds, **told)
