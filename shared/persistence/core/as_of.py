"""The moment to poll from, asOf: no change is stamped before it that a reading by now does not show."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text

from shared.persistence.core.database import autocommit

# A change is stamped in its transaction, and seen when that commits. One that is under way has a lock on what
# it writes or has claimed, and has stamped nothing before it began. The second is for one that has just begun
# and has no lock yet. Since when one of another role is under way may be hidden from us: then it is no older
# than the longest that we have, a catalog load's limit.
_AS_OF = text("""
    SELECT LEAST(
        now() - interval '1 second',
        min(CASE WHEN activity.state IS NULL THEN now() - interval '15 minutes' ELSE activity.xact_start END)
    )
    FROM pg_locks AS held JOIN pg_stat_activity AS activity USING (pid)
    WHERE held.locktype = 'relation' AND held.mode IN ('RowShareLock', 'RowExclusiveLock')
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND held.relation IN ('slices'::regclass, 'stock'::regclass, 'orders'::regclass)
    AND held.pid <> pg_backend_pid()
""")


def as_of(engine: Engine) -> datetime:
    """A moment that is safe to ask from next time for changes of stock and orders; call it before reading.

    It is about a second ago, or when the oldest transaction began that writes at present. Raises
    PersistenceError.
    """
    with autocommit(engine) as connection:
        moment: datetime = connection.execute(_AS_OF).scalar_one()
        return moment
