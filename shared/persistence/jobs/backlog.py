"""The backlog of an API key: how much of its orders waits for its outcome."""

from __future__ import annotations

from sqlalchemy import Engine, text

from shared.persistence.core.database import transaction

# The length of what is stored apart and compressed is in the row: no body is read for it.
_UNDECIDED_BYTES = text("""
    SELECT COALESCE(sum(octet_length(slices.body)), 0)
    FROM slices JOIN jobs ON jobs.id = slices.job_id
    WHERE slices.closed_at IS NULL AND jobs.client_id = :client_id
""")


def undecided_bytes(engine: Engine, client_id: int) -> int:
    """The bytes of a client's orders, as sent, that no outcome is there for. Raises PersistenceError."""
    with transaction(engine) as connection:
        return int(connection.execute(_UNDECIDED_BYTES, {"client_id": client_id}).scalar_one())
