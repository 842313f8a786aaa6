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

from shared.persistence.core.database import autocommit, binary_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_FIRST_TRY = text("SELECT COALESCE(first_try, id) FROM jobs WHERE id = :id")
# Hashes in binary: as text each has to be looked at for what needs a backslash.
_TRIED = """
    SELECT key_hash, job_id FROM retried_keys
    WHERE first_try = %(first_try)s AND key_hash = ANY(%(hashes)b::bytea[])
"""
# In one order: two retries of the same keys must not wait for each other in a ring.
_LOCK = f"{_TRIED} ORDER BY key_hash FOR UPDATE"
_MARK = text("UPDATE jobs SET retry_of = :retry_of, first_try = :first_try WHERE id = :id")
_TAKE_OVER = """
    UPDATE retried_keys SET job_id = %(id)s
    WHERE first_try = %(first_try)s AND key_hash = ANY(%(hashes)b::bytea[]) RETURNING key_hash
"""
_ADD = """
    INSERT INTO retried_keys (first_try, key_hash, job_id)
    SELECT %(first_try)s, key_hash, %(id)s FROM unnest(%(hashes)b::bytea[]) AS tried (key_hash)
    ORDER BY key_hash
    ON CONFLICT DO NOTHING RETURNING key_hash
"""


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
        rows = binary_rows(connection, _TRIED, {"first_try": first_try, "hashes": wanted})
    tried = {row.key_hash: row.job_id for row in rows}
    return JobRetry(
        retry_of=retry_of, first_try=first_try, last_tries={one: tried.get(one) for one in wanted}
    )


def mark_retry(connection: Connection, job_id: UUID, retry: JobRetry) -> None:
    """Write down that a job that was just inserted tries these keys again.

    Raises KeysRetriedError where another retry has been faster.
    """
    names = {"id": job_id, "retry_of": retry.retry_of, "first_try": retry.first_try}
    connection.execute(_MARK, names)
    rows = binary_rows(connection, _LOCK, {**names, "hashes": list(retry.last_tries)})
    tried = {row.key_hash: row.job_id for row in rows}
    if taken := [one for one, last in retry.last_tries.items() if tried.get(one) != last]:
        raise KeysRetriedError(taken)
    if tried:
        binary_rows(connection, _TAKE_OVER, {**names, "hashes": list(tried)})
    new = retry.last_tries.keys() - tried.keys()
    added = {row.key_hash for row in binary_rows(connection, _ADD, {**names, "hashes": list(new)})}
    if added != new:
        raise KeysRetriedError(new - added)
