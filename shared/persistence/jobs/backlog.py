"""The backlog of an API key: how much of its orders waits for its outcome."""

from __future__ import annotations

from sqlalchemy import Engine, text

from shared.domain.slicing import WEIGHT_BYTES, BatchSize
from shared.persistence.core.database import transaction

# The length of what is stored apart and compressed is in the row: no body is read for it.
_UNDECIDED = text("""
    SELECT slices.queue, sum(octet_length(slices.body)) AS size_bytes,
           COALESCE(sum(GREATEST(slices.order_count, octet_length(slices.body) / :weight_bytes))
                    FILTER (WHERE not_before IS NULL OR not_before <= now()), 0) AS weight
    FROM slices JOIN jobs ON jobs.id = slices.job_id
    WHERE slices.closed_at IS NULL AND jobs.client_id = :client_id
    GROUP BY slices.queue
""")


def undecided(engine: Engine, client_id: int) -> dict[str, BatchSize]:
    """What a client's orders without outcomes take, by queue. Raises PersistenceError.

    Those that are to be decided later have no weight yet: they take nobody's turn.
    """
    with transaction(engine) as connection:
        rows = connection.execute(_UNDECIDED, {"client_id": client_id, "weight_bytes": WEIGHT_BYTES})
        return {row.queue: BatchSize(int(row.size_bytes), int(row.weight)) for row in rows}
