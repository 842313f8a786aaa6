"""Which promised slices to dispatch again, and when next: the sweeper's side of the slices table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, text

from shared.persistence.database import transaction

_DUE = text(
    "WITH due AS ("
    " SELECT id FROM slices WHERE closed_at IS NULL AND queue = :queue AND next_dispatch_at <= now()"
    # Several sweepers share the work; none waits for a worker that holds a slice.
    " ORDER BY next_dispatch_at LIMIT :most FOR UPDATE SKIP LOCKED)"
    " UPDATE slices SET dispatches = dispatches + 1, next_dispatch_at = now() + interval '1 second'"
    # The exponent is bounded: 2^1024 would be out of range long before the maximum is reached.
    " * LEAST(CAST(:first AS float8) * 2 ^ LEAST(dispatches + 1, 30), CAST(:longest AS float8))"
    " FROM due WHERE slices.id = due.id RETURNING slices.id"
)
_ALL_DUE = text(
    "UPDATE slices SET next_dispatch_at = now()"
    " WHERE id IN (SELECT id FROM slices WHERE closed_at IS NULL AND next_dispatch_at > now()"
    " FOR UPDATE SKIP LOCKED)"
)
_GIVE_BACK = text(
    "UPDATE slices SET next_dispatch_at = now(), dispatches = dispatches - 1"
    " WHERE id IN (SELECT id FROM slices WHERE closed_at IS NULL AND id = ANY(CAST(:ids AS bigint[]))"
    " FOR UPDATE SKIP LOCKED)"
)


def take_due_slices(
    engine: Engine, queue: str, most: int, *, first_seconds: float, longest_seconds: float
) -> list[int]:
    """The ids of at most ``most`` undecided slices whose time has come; each waits twice as long next time.

    They are free again when this returns: a worker that found its slice in a sweeper's hand would go home.
    """
    wanted = {"queue": queue, "most": most, "first": first_seconds, "longest": longest_seconds}
    with transaction(engine) as connection:
        return sorted(connection.execute(_DUE, wanted).scalars())


def give_back_slices(engine: Engine, slice_ids: Sequence[int]) -> None:
    """Have slices that were taken but could not be dispatched dispatched at the next sweep."""
    with transaction(engine) as connection:
        connection.execute(_GIVE_BACK, {"ids": list(slice_ids)})


def make_all_due(engine: Engine) -> int:
    """Have every undecided slice dispatched at the next sweep; gives how many that changed."""
    with transaction(engine) as connection:
        return connection.execute(_ALL_DUE).rowcount
