"""Redispatch: which undecided slices are due, and when next; the sweeper's side of the slices table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text

from shared.domain.backoff import Backoff
from shared.persistence.core.database import transaction

DUE_PORTION: Final = 10_000
"""Slices that are made due in one transaction: a tenth of a second or so."""

_DUE_READ: Final = 200_000
"""Ids that are looked up at a time: in memory they are some megabytes."""

DUE_MOST_SECONDS: Final = 5.0
"""How long a sweep makes slices due before it dispatches some: an empty queue means idle workers."""

# Several sweepers share the work; none waits for a worker that holds a slice. The first pause was over when
# the slice was due for the first time.
_DUE = text("""
    WITH due AS (
        SELECT id FROM slices WHERE closed_at IS NULL AND queue = :queue AND next_dispatch_at <= now()
        ORDER BY next_dispatch_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE slices
    SET dispatches = dispatches + 1,
        next_dispatch_at = now() + interval '1 second'
            * (CAST(:pauses AS float8[]))[LEAST(dispatches + 2, :pause_count)]
    FROM due WHERE slices.id = due.id RETURNING slices.id
""")
# In no order: to sort would be to read all of them for each few, and after a flood no statistics know of them
# yet.
_NOT_DUE = text("""
    SELECT id FROM slices
    WHERE closed_at IS NULL AND next_dispatch_at > now()
    AND job_id NOT IN (SELECT id FROM jobs WHERE not_before > now() AND finished_at IS NULL)
    LIMIT :most
""")
# Of an ordered job the others follow the one that has a time.
_CANCELLED_DUE = text("""
    UPDATE slices SET next_dispatch_at = now()
    WHERE id IN (
        SELECT slices.id FROM jobs JOIN slices ON slices.job_id = jobs.id
        WHERE not_before > now() AND finished_at IS NULL AND cancel_requested_at IS NOT NULL
        AND closed_at IS NULL AND next_dispatch_at >= not_before
        FOR UPDATE OF slices SKIP LOCKED
    )
""")
_DUE_NOW = text(
    "UPDATE slices SET next_dispatch_at = now()"
    " WHERE id IN (SELECT id FROM slices WHERE closed_at IS NULL AND id = ANY(CAST(:ids AS bigint[]))"
    " FOR UPDATE SKIP LOCKED)"
)
_GIVE_BACK = text(
    "UPDATE slices SET next_dispatch_at = now(), dispatches = dispatches - 1"
    " WHERE id IN (SELECT id FROM slices WHERE closed_at IS NULL AND id = ANY(CAST(:ids AS bigint[]))"
    " FOR UPDATE SKIP LOCKED)"
)


def next_due_slices(engine: Engine, queue: str, most: int, backoff: Backoff) -> list[int]:
    """The ids of at most ``most`` undecided slices whose time has come; each waits longer next time.

    They are free again when this returns: a worker that found its slice locked by a sweeper would leave it.
    """
    pauses = backoff.pauses()
    wanted = {"queue": queue, "most": most, "pauses": pauses, "pause_count": len(pauses)}
    with transaction(engine) as connection:
        return sorted(connection.execute(_DUE, wanted).scalars())


def make_cancelled_due(engine: Engine) -> int:
    """Have slices of cancelled jobs dispatched that were to be decided later; gives how many.

    Whoever cancelled their job closes them at once, unless it dies. Raises PersistenceError.
    """
    with transaction(engine) as connection:
        return connection.execute(_CANCELLED_DUE).rowcount


def give_back_slices(engine: Engine, slice_ids: Sequence[int]) -> None:
    """Have slices that were taken but could not be dispatched dispatched at the next sweep."""
    with transaction(engine) as connection:
        connection.execute(_GIVE_BACK, {"ids": list(slice_ids)})


@dataclass(frozen=True)
class MadeDue:
    """How many slices were made due, and whether those were all."""

    slices: int
    all_of_them: bool


def make_all_due(
    engine: Engine, *, portion: int = DUE_PORTION, most_seconds: float = DUE_MOST_SECONDS
) -> MadeDue:
    """Have every undecided slice dispatched as soon as there is room, but for jobs whose moment is to come.

    In transactions of ``portion`` slices, each as short as any: one statement over millions would meet its
    limit every time. After ``most_seconds`` the rest is for the next call. Raises PersistenceError; what was
    done by then stays done.
    """
    done, until = 0, time.monotonic() + most_seconds
    while True:
        with transaction(engine) as connection:
            left = list(connection.execute(_NOT_DUE, {"most": _DUE_READ}).scalars())
        complete = len(left) < _DUE_READ
        while left:
            now, left = left[:portion], left[portion:]
            with transaction(engine) as connection:
                done += connection.execute(_DUE_NOW, {"ids": now}).rowcount
            if time.monotonic() >= until:
                return MadeDue(done, all_of_them=complete and not left)
        if complete:
            return MadeDue(done, all_of_them=True)
