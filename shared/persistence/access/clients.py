"""Clients: whoever calls, by a name and with one or more keys. What is remembered of them is theirs."""

from __future__ import annotations

from sqlalchemy import Connection, select, text

from shared.persistence.core.tables import clients

_MAKE = text("INSERT INTO clients (name) VALUES (:name) ON CONFLICT DO NOTHING RETURNING id")


class ClientNameTakenError(Exception):
    """There is a client of this name already, and nobody has asked for a further key of that one."""


def make_client(connection: Connection, name: str) -> int:
    """Make a client; gives its id. Raises ClientNameTakenError."""
    made = connection.execute(_MAKE, {"name": name}).scalar_one_or_none()
    if made is None:
        raise ClientNameTakenError(name)
    return int(made)


def find_or_make_client(connection: Connection, name: str) -> int:
    """Give the id of the client of this name, who is made where there is none."""
    made = connection.execute(_MAKE, {"name": name}).scalar_one_or_none()
    if made is not None:
        return int(made)
    return int(connection.execute(select(clients.c.id).where(clients.c.name == name)).scalar_one())
