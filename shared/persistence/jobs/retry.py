"""Retries: which orders of a job are tried again by which job, so that none is tried by two or made twice.

Jobs that try one another's orders again have the first one in common. Of each key that was ever tried again
it is written down which job tries it last, in the transaction that inserts that job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text

from shared.persistence.core.database import autocommit

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_FIRST_TRY = text("SELECT COALESCE(first_try, id) FROM jobs WHERE id = :id")
_TRIED = text("""
    SELECT key_hash, job_id FROM retried_keys
    WHERE first_try = :first_try AND key_hash = ANY(CAST(:hashes AS bytea[]))
""")
# In one order: two retries of the same keys must not wait for each other in a ring.
_LOCK = text(f"{_TRIED.text} ORDER BY key_hash FOR UPDATE")
_MARK = text("UPDATE jobs SET retry_of = :retry_of, first_try = :first_try WHERE id = :id")
_TAKE_OVER = text("""
    UPDATE retried_keys SET job_id = :id
    WHERE first_try = :first_try AND key_hash = ANY(CAST(:hashes AS bytea[]))
""")
_ADD = text("""
    INSERT INTO retried_keys (first_try, key_hash, job_id)
    SELECT :first_try, key_hash, :id FROM unnest(CAST(:hashes AS bytea[])) AS tried (key_hash)
    ORDER BY key_hash
    ON CONFLICT DO NOTHING RETURNING key_hash
""")


class KeysRetriedError(Exception):
    """Another retry has taken these keys meanwhile, by their hashes."""

    def __init__(self, hashes: Iterable[bytes]) -> None:
        super().__init__("another retry has these keys")
        self.hashes = frozenset(hashes)


@dataclass(frozen=True, kw_only=True)
class JobRetry:
    """Which job's orders a new one tries again, and which job tried them first.

    ``last_tries``: of each key, by its hash, the job that has tried it last so far; None: only the first.
    """

    retry_of: UUID
    first_try: UUID
    last_tries: Mapping[bytes, UUID | None]


def key_hash(key: str) -> bytes:
    """What a key is known by among those that were tried again."""
    return hashlib.sha256(key.encode()).digest()


def find_last_tries(engine: Engine, retry_of: UUID, hashes: Iterable[bytes]) -> JobRetry:
    """Look up which jobs have tried these keys of a job again last. Raises PersistenceError."""
    wanted = list(hashes)
    with autocommit(engine) as connection:
        first_try = connection.execute(_FIRST_TRY, {"id": retry_of}).scalar_one()
        rows = connection.execute(_TRIED, {"first_try": first_try, "hashes": wanted}).all()
    tried = {bytes(row.key_hash): row.job_id for row in rows}
    return JobRetry(
        retry_of=retry_of, first_try=first_try, last_tries={one: tried.get(one) for one in wanted}
    )


def mark_retry(connection: Connection, job_id: UUID, retry: JobRetry) -> None:
    """Write down that a job that was just inserted tries these keys again.

    Raises KeysRetriedError where another retry has been faster.
    """
    names = {"id": job_id, "retry_of": retry.retry_of, "first_try": retry.first_try}
    connection.execute(_MARK, names)
    rows = connection.execute(_LOCK, {"first_try": retry.first_try, "hashes": list(retry.last_tries)}).all()
    tried = {bytes(row.key_hash): row.job_id for row in rows}
    if taken := [one for one, last in retry.last_tries.items() if tried.get(one) != last]:
        raise KeysRetriedError(taken)
    new = retry.last_tries.keys() - tried.keys()
    connection.execute(_TAKE_OVER, {**names, "hashes": list(tried)})
    added = {bytes(one) for one in connection.execute(_ADD, {**names, "hashes": list(new)}).scalars()}
    if added != new:
        raise KeysRetriedError(new - added)
