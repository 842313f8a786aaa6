"""Changes of orders, in the order in which they became visible; none is ever missed.

A trigger writes which orders a statement has made or changed, with the id of its transaction (savepoints have
it too). What is read is below the oldest transaction that may still write: all of those have ended, whatever
their order, and what comes later has a higher id. So nothing appears behind a reader's back.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Engine, text

from shared.domain.order_changes import (
    Change,
    ChangeCursor,
    ChangeFilter,
    ChangePage,
    ChangePlace,
    From,
    NoPlace,
    see,
)
from shared.domain.order_list import count_fitting
from shared.persistence.core.database import autocommit, snapshot, transaction
from shared.persistence.orders.page_sizes import sizes_of
from shared.persistence.orders.pages import read_orders

CHANGES_MOST: Final = 10_000
"""Changes that one reading looks at: those of markets that the reader does not see among them."""

# Each is of the statement's, or the transaction's, one snapshot: what is below the horizon has ended in it.
_HORIZON: Final = "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
_FEED = text(f"""
    SELECT generation, server = change_feed_server() AS ours, {_HORIZON} AS horizon FROM change_feed
""")  # noqa: S608 - our own text
# A market is looked up for no more changes than are looked at: of all that the rows have it would be a join.
_CHANGES = text("""
    SELECT transaction_id, row_id, position, number,
        (SELECT market_id FROM orders WHERE orders.number = changes.number) AS market_id
    FROM (
        SELECT transaction_id, id AS row_id, position, number
        FROM (
            SELECT transaction_id, id, numbers FROM order_changes
            WHERE (transaction_id, id) >= (:transaction_id, :row_id) AND transaction_id < :horizon
            ORDER BY transaction_id, id LIMIT :most
        ) AS written
        CROSS JOIN LATERAL unnest(numbers) WITH ORDINALITY AS each (number, position)
        WHERE (transaction_id, id, position) > (:transaction_id, :row_id, :position)
        ORDER BY transaction_id, id, position LIMIT :most
    ) AS changes
    ORDER BY transaction_id, row_id, position
""")
_NEWEST = text(f"""
    SELECT transaction_id, id, cardinality(numbers) AS position FROM order_changes
    WHERE transaction_id < {_HORIZON} ORDER BY transaction_id DESC, id DESC LIMIT 1
""")  # noqa: S608 - our own text
_IS_OURS = text("SELECT server = change_feed_server() FROM change_feed")
_MOVE = text("""
    INSERT INTO change_feed (server, generation) VALUES (change_feed_server(), :generation)
    ON CONFLICT ("only") DO UPDATE SET server = EXCLUDED.server, generation = EXCLUDED.generation
    WHERE change_feed.server <> EXCLUDED.server
    RETURNING true
""")
# In one statement, and so of one snapshot: a change that it sees is in what it writes of the orders, and one
# that it does not see keeps its row.
_BEGIN = text("""
    WITH gone AS (DELETE FROM order_changes)
    INSERT INTO order_changes (transaction_id, numbers)
    SELECT 0, array_agg(number ORDER BY created_at, number)
    FROM (
        SELECT number, created_at, (row_number() OVER (ORDER BY created_at, number) - 1) / 1000 AS portion
        FROM orders
    ) AS made
    GROUP BY portion ORDER BY portion
""")
_BEGIN_LIMIT_SECONDS: Final = 900
_GENERATION_BITS: Final = 53


def find_changes(
    engine: Engine,
    wanted: ChangeFilter,
    *,
    most_lines: int,
    most_bytes: int,
    reserve: Callable[[int], None] = lambda _: None,
) -> ChangePage | NoPlace:
    """Read a page of changed orders, all of it as of one moment: no more of them than fit, one at least.

    ``reserve`` is told how many bytes of JSON it comes to, about, before it is read, and may refuse.

    Raises PersistenceError.
    """
    with snapshot(engine) as connection:
        feed = connection.execute(_FEED).one_or_none()
        if feed is None or not feed.ours:
            return NoPlace.BEGINS_ANEW
        after = _place(feed.generation, feed.horizon, wanted.after)
        if isinstance(after, NoPlace):
            return after
        changes = _changes(connection, after, feed.horizon, wanted)
        seen = see(changes, after, wanted.limit, wanted.market_ids)
        sizes = sizes_of(connection, seen.numbers)
        seen = seen.first(count_fitting(sizes, most_lines=most_lines, most_bytes=most_bytes))
        reserve(sum(size.json_bytes for size in sizes[: len(seen.numbers)]))
        orders = read_orders(connection, seen.numbers)
    more = bool(changes) and (seen.behind < changes[-1].place or len(changes) == _most_of(wanted))
    return ChangePage(orders, ChangeCursor(feed.generation, seen.behind), more)


def _place(generation: int, horizon: int, after: ChangeCursor | From) -> ChangePlace | NoPlace:
    if after is From.BEGINNING:
        return ChangePlace()
    if after is From.NOW:
        # What of this transaction, and of later ones, is there already is told again.
        return ChangePlace(horizon)
    if after.generation != generation:
        return NoPlace.OTHER_FEED
    return after.place if after.place.transaction_id <= horizon else NoPlace.NOT_REACHED


def _changes(connection: Connection, after: ChangePlace, horizon: int, wanted: ChangeFilter) -> list[Change]:
    """The first changes behind a place."""
    values = {
        "transaction_id": after.transaction_id,
        "row_id": after.row_id,
        "position": after.position,
        "horizon": horizon,
        "most": _most_of(wanted),
    }
    return [
        Change(ChangePlace(row.transaction_id, row.row_id, row.position), row.number, row.market_id)
        for row in connection.execute(_CHANGES, values)
    ]


def _most_of(wanted: ChangeFilter) -> int:
    # One more than is taken tells whether there is another, where all of them are seen.
    return wanted.limit + 1 if wanted.market_ids is None else CHANGES_MOST


def newest_change(engine: Engine) -> ChangePlace | None:
    """The place of the newest change that may be read; None while there is none. Raises PersistenceError."""
    with autocommit(engine) as connection:
        row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else ChangePlace(*row)


def begin_anew(engine: Engine) -> bool:
    """Let the feed begin anew with all orders that there are, if the server is another one than before.

    That is so after a dump was loaded into it, or a standby promoted: ids of its transactions are others.
    Gives whether it was. Raises PersistenceError.
    """
    with autocommit(engine) as connection:
        if connection.execute(_IS_OURS).scalar():
            return False
    with transaction(engine) as connection:
        # The row's lock lets one do it, and not in the middle of another's.
        anew = connection.execute(_MOVE, {"generation": secrets.randbits(_GENERATION_BITS)}).scalar()
        if anew is None:
            return False
        connection.execute(text(f"SET LOCAL statement_timeout = {_BEGIN_LIMIT_SECONDS * 1000}"))
        connection.execute(_BEGIN)
        return True
