"""Orders that are written by SQL alone, as copies of one that was placed: for tests of reading them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from shared.persistence.core.tables import orders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

_OWN = {"number": "copied", "first_number": "copied", "job_id": "gen_random_uuid()", "modified_at": "NULL"}
_COLUMNS = [column.name for column in orders.columns]
_WRITE = text(
    f"INSERT INTO orders ({', '.join(_COLUMNS)})"  # noqa: S608 - names of our own columns
    f" SELECT {', '.join(_OWN.get(name, name) for name in _COLUMNS)} FROM orders"
    " CROSS JOIN unnest(CAST(:numbers AS bigint[])) AS copies (copied) WHERE number = 1"
)


def write_copies(connection: Connection, numbers: Iterable[int]) -> None:
    """Write copies of order 1 under these numbers, without its lines, in the connection's transaction."""
    connection.execute(_WRITE, {"numbers": list(numbers)})
