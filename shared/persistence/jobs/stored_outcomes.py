"""A slice's outcomes as they are stored: one for each key, or one for all of its keys.

What a cancelled job's slices hold is not read for their keys when they are closed, however much that is: what
each key is told is stored once. Who reads such outcomes makes them of what was sent, and before what was sent
goes they are written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import orjson
from sqlalchemy import text

from shared.persistence.jobs.runs import runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

ONE_FOR_ALL: Final = (
    "(slices.cancelled_count = slices.order_count AND substring(slices.outcomes FOR 1) = CAST('[' AS bytea))"
)
"""SQL: whether a slice has one outcome for all of its keys; only what was cancelled can have."""

_PORTION_BYTES: Final = 4 * 1024 * 1024
_BODY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])

_FIND = text(f"""
    SELECT id, octet_length(body) AS size FROM slices
    WHERE job_id = ANY(CAST(:job_ids AS uuid[])) AND {ONE_FOR_ALL} ORDER BY id
""")  # noqa: S608 - our own text
_READ = text("SELECT id, outcomes, body FROM slices WHERE id = ANY(CAST(:ids AS bigint[]))")
_WRITE = text("""
    UPDATE slices SET outcomes = written.outcomes
    FROM unnest(CAST(:ids AS bigint[]), CAST(:outcomes AS bytea[])) AS written (id, outcomes)
    WHERE slices.id = written.id
""")


def one_for_all(outcome: bytes) -> bytes:
    """What is stored where each key has this outcome, which is JSON."""
    return b"[%b]" % outcome


def outcomes_of(stored: bytes, body: bytes | None) -> bytes:
    """Give a slice's outcomes as one JSON object, {key: outcome, …}, in order.

    ``body`` is what was sent, {key: order, …}; it is needed where one outcome is stored for all keys.
    """
    if not stored.startswith(b"["):
        return stored
    if body is None:
        raise ValueError("one outcome is stored for all keys, and what was sent is gone")
    outcome = stored[1:-1]
    return b"{%b}" % b",".join([b"%b:%b" % (orjson.dumps(key), outcome) for key in _BODY.decode(body)])


def write_out(connection: Connection, job_ids: Sequence[UUID]) -> None:
    """Have the outcomes of these jobs, which have ended, stored key by key: what was sent is to go."""
    found = connection.execute(_FIND, {"job_ids": list(job_ids)}).all()
    for ids in runs([row.id for row in found], [row.size for row in found], _PORTION_BYTES):
        rows = connection.execute(_READ, {"ids": ids}).all()
        outcomes = [outcomes_of(row.outcomes, row.body) for row in rows]
        connection.execute(_WRITE, {"ids": [row.id for row in rows], "outcomes": outcomes})
