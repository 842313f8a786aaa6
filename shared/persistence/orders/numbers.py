"""The sequence of automatic order numbers: where it stands, and where it shall go on."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from shared.persistence.core.database import snapshot, transaction

_NEXT = text("SELECT last_value + is_called::integer FROM order_number_seq")
_FROM = text("SELECT count(*) FROM orders WHERE number >= :number")
# Orders go on meanwhile: numbers that are drawn between the look and the move are there by the time that they
# would come again, or found taken when they are written, and stepped around either way.
_MOVE = text("SELECT setval('order_number_seq', :number, false)")


class NumberStart(NamedTuple):
    """Where automatic numbers go on, where they went on ``before``, and how many orders lie from there on.

    ``moved``: whether that was changed.
    """

    number: int
    before: int
    taken: int
    moved: bool


def next_number(engine: Engine) -> int:
    """The next automatic number, unless it is taken. Raises PersistenceError."""
    with snapshot(engine) as connection:
        return _next(connection)


def start_numbers_at(engine: Engine, number: int, *, backwards: bool) -> NumberStart:
    """Have automatic numbers go on at ``number``; nothing is moved back unless ``backwards`` says so.

    Raises PersistenceError.
    """
    with transaction(engine) as connection:
        before = _next(connection)
        taken = int(connection.execute(_FROM, {"number": number}).scalar_one())
        moves = number > before or (backwards and number < before)
        if moves:
            connection.execute(_MOVE, {"number": number})
    return NumberStart(number, before, taken, moves)


def _next(connection: Connection) -> int:
    return int(connection.execute(_NEXT).scalar_one())
