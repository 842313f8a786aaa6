"""Requested numbers: the order numbers that undecided batches ask for, and no other order is given.

They are written with the job, before anything of it can be decided, and whoever draws automatic numbers
(``shared/persistence/orders/insert.py``) steps around them. Once a job is done they are void, and removed at
leisure: until then they only leave a number out.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from shared.persistence.core.copying import copy_text
from shared.persistence.core.database import transaction
from shared.persistence.core.tables import requested_numbers

_VOID = text("""
    SELECT job_id FROM (SELECT DISTINCT job_id FROM requested_numbers) AS asking
    WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.id = asking.job_id AND finished_at IS NULL)
""")
_RELEASE = text("""
    DELETE FROM requested_numbers WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM requested_numbers WHERE job_id = ANY(CAST(:job_ids AS uuid[])) LIMIT :most
    ))
""")


def request_numbers(connection: Connection, job_id: UUID, numbers: Sequence[int]) -> None:
    """Keep these numbers, each given once, for the orders of a job that was just inserted."""
    copy_text(connection, requested_numbers, ("number", "job_id"), [f"{one}\t{job_id}" for one in numbers])


def release_numbers(engine: Engine, most: int) -> int:
    """Remove up to ``most`` numbers of jobs that are done, in one transaction; gives how many.

    Raises PersistenceError.
    """
    with transaction(engine) as connection:
        void = list(connection.execute(_VOID).scalars())
        if not void:
            return 0
        return connection.execute(_RELEASE, {"job_ids": void, "most": most}).rowcount
