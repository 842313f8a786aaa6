"""A connection that does not wait for ever: a server process that was stopped keeps its socket open.

The server ends a statement that takes too long, and the kernel finds out about a host that is gone. A server
process that does not run at all (stopped, swapped out, on a disk that hangs) does neither: its kernel answers
for it, and whoever waits for its answer waits as long as it does nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from sqlalchemy import Dialect

_INTERVAL_SECONDS: Final = 0.1
"""How often psycopg looks up from waiting."""

_Value = TypeVar("_Value")


class LimitedConnection(psycopg.Connection[Any]):
    """Gives its server up, and closes, when one answer takes more than ``answer_limit_seconds``."""

    answer_limit_seconds: float | None = None

    def wait(
        self, gen: PQGen[_Value], interval: float = _INTERVAL_SECONDS, timeout: float | None = None
    ) -> _Value:
        """Wait as psycopg does for everything that a connection is asked."""
        try:
            return super().wait(gen, interval, self.answer_limit_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            # Nobody knows what it is about to answer, so nobody may ask it anything else.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connector(answer_limit_seconds: float) -> Any:
    """What makes an engine's connections limited ones: a listener of its ``do_connect``."""
    return partial(_connect, answer_limit_seconds)


def _connect(
    answer_limit_seconds: float, _dialect: Dialect, _record: object, args: list[Any], options: dict[str, Any]
) -> LimitedConnection:
    connection = LimitedConnection.connect(*args, **options)
    connection.answer_limit_seconds = answer_limit_seconds
    return connection
