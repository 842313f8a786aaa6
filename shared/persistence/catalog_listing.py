"""One list of the catalog into its table: sent to a temporary table, matched, checked, and only then written.

What is already as it should be is not written again, so that loading a file twice makes no row version: hence
UPDATE and INSERT with their conditions, and no ON CONFLICT, which locks every row it meets. Nobody but a load
writes these tables, and loads come one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Table,
    UpdateBase,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from shared.domain.catalog_file import Count
from shared.domain.outcome import quoted
from shared.persistence.copying import copy_rows


@dataclass(frozen=True)
class Listing:
    """How a list of the file stands in its table.

    ``keys``: the columns by which a row is known; a later one counts for rows that do not have the earlier.
    ``columns``: those that a load writes, keys included. ``unique``: others that no two rows may share.
    ``kept``: columns that do not simply become what the file says, as ``(table, incoming) → value``.
    """

    name: str
    noun: str
    table: Table
    columns: Sequence[str]
    keys: Sequence[str] = ("name",)
    unique: Sequence[str] = ()
    kept: Mapping[str, Callable[[Table, Table], ColumnElement[Any]]] = field(default_factory=dict)


def temporary_table(connection: Connection, name: str, columns: Iterable[Column[Any]]) -> Table:
    """A table of this transaction alone, gone when it ends."""
    table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")
    table.create(connection)
    return table


def fill(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Send the rows, and let the planner know how many they are."""
    copy_rows(connection, table, columns, rows)
    # Autovacuum never looks at temporary tables; a join of 100,000 rows planned for 10 takes minutes.
    connection.execute(text(f"ANALYZE {table.name}"))


def rows_of(connection: Connection, writing: UpdateBase) -> int:
    """Execute an INSERT or UPDATE; how many rows it wrote."""
    # SQLAlchemy forgets the count of an INSERT unless it is asked for.
    return connection.execute(writing, execution_options={"preserve_rowcount": True}).rowcount


class IncomingList:
    """The rows of one list between the file and their table."""

    def __init__(self, connection: Connection, listing: Listing, rows: Iterable[Sequence[Any]]) -> None:
        """Send ``rows``: each ``(at, id or None, *columns)``, and find which of them the table has."""
        self._connection = connection
        self._listing = listing
        self._table = listing.table
        columns = [Column(name, self._table.c[name].type) for name in listing.columns]
        self._incoming = temporary_table(
            connection,
            f"incoming_{self._table.name}",
            [Column("at", Integer), Column("given_id", BigInteger), *columns, Column("id", BigInteger)],
        )
        fill(connection, self._incoming, ["at", "given_id", *listing.columns], rows)
        self._match()

    def _match(self) -> None:
        table, incoming = self._table, self._incoming
        for at, key in enumerate(self._listing.keys):
            without = self._listing.keys[:at]
            self._connection.execute(
                update(incoming)
                .values(id=table.c.id)
                .where(incoming.c.id.is_(None), table.c[key] == incoming.c[key])
                .where(*(incoming.c[other].is_(None) for other in without))
                .where(*(table.c[other].is_(None) for other in without))
            )

    def faults(self) -> Iterator[str]:
        """What the rows' ids and unique columns run into in the database."""
        table, incoming = self._table, self._incoming
        named = func.coalesce(*(table.c[key] for key in self._listing.keys))
        moved = (
            select(incoming.c.at, incoming.c.given_id, named, table.c.id)
            .join(table, table.c.id == incoming.c.id)
            .where(incoming.c.given_id != incoming.c.id)
            .order_by(incoming.c.at)
        )
        for at, given, name, found in self._connection.execute(moved):
            row = f"{self._listing.noun} {quoted(name)}"
            pointer = f"{self._listing.name}[{at}].id"
            yield f"{pointer}: {given} is not the id of {row}, but {found}; write that, or no id"
        yield from self._taken("id", incoming.c.given_id, named)
        for column in self._listing.unique:
            yield from self._taken(column, incoming.c[column], named)

    def _taken(self, column: str, wanted: ColumnElement[Any], named: ColumnElement[Any]) -> Iterator[str]:
        """Values that another row has. Other than an id, a row that the file changes may lose it."""
        table, incoming = self._table, self._incoming
        owner = incoming.alias()
        query = (
            select(incoming.c.at, wanted, named)
            .join(table, table.c[column] == wanted)
            .where(table.c.id.is_distinct_from(incoming.c.id))
            .order_by(incoming.c.at)
        )
        if column == "id":
            query = query.where(incoming.c.id.is_(None))
        else:
            query = query.where(~select(1).where(owner.c.id == table.c.id).exists())
        for at, value, name in self._connection.execute(query):
            row = f"{self._listing.noun} {quoted(name)}"
            pointer = f"{self._listing.name}[{at}].{column}"
            yield f"{pointer}: {quoted(value)} is the {column} of {row} in the database; choose another"

    def lock(self) -> None:
        """Lock the rows that are there by id, ascending: an update would lock them as it finds them."""
        table, incoming = self._table, self._incoming
        mine = select(incoming.c.id).where(incoming.c.id.is_not(None))
        locking = select(table.c.id).where(table.c.id.in_(mine)).order_by(table.c.id)
        # NO KEY: what refers to them must not wait. Counted on the server: nobody needs to see the ids.
        locked = locking.with_for_update(key_share=True).subquery()
        self._connection.execute(select(func.count()).select_from(locked))

    def write(self) -> Count:
        """Change the rows that differ and insert those that are new."""
        for column in self._listing.unique:
            self._free(column)
        changed = rows_of(self._connection, self._changing())
        given = self._insert(self._incoming.c.given_id.is_not(None), self._incoming.c.given_id)
        if given:
            self._move_sequence()
        counted = self._insert(self._incoming.c.given_id.is_(None), None)
        total = self._connection.execute(select(func.count()).select_from(self._incoming)).scalar_one()
        return Count(given + counted, changed, total - changed - given - counted)

    def ids(self) -> Iterator[tuple[int, int]]:
        """``(at, id)`` of every row, once written."""
        self._match()
        yield from self._connection.execute(select(self._incoming.c.at, self._incoming.c.id)).tuples()

    def kept(self, column: str) -> list[str]:
        """Names of the rows, once written, that did not get the value of ``column`` that the file has."""
        table, incoming = self._table, self._incoming
        self._match()
        query = (
            select(func.coalesce(*(table.c[key] for key in self._listing.keys)))
            .join(incoming, table.c.id == incoming.c.id)
            .where(table.c[column].is_distinct_from(incoming.c[column]))
            .order_by(incoming.c.at)
        )
        return list(self._connection.execute(query).scalars())

    def _free(self, column: str) -> None:
        """Take a unique value from a row that is to have another one, when another row is to have it."""
        table, incoming = self._table, self._incoming
        heir = incoming.alias()
        self._connection.execute(
            update(table)
            .values({column: None})
            .where(table.c.id == incoming.c.id, table.c[column].is_distinct_from(incoming.c[column]))
            .where(select(1).where(heir.c[column] == table.c[column]).exists())
        )

    def _changing(self) -> UpdateBase:
        table, incoming = self._table, self._incoming
        wanted = {
            name: self._listing.kept[name](table, incoming)
            if name in self._listing.kept
            else incoming.c[name]
            for name in self._listing.columns
        }
        differs = or_(*(table.c[name].is_distinct_from(value) for name, value in wanted.items()))
        return update(table).values(wanted).where(table.c.id == incoming.c.id, differs)

    def _insert(self, which: ColumnElement[bool], given_id: ColumnElement[Any] | None) -> int:
        incoming = self._incoming
        names = [*(["id"] if given_id is not None else []), *self._listing.columns]
        values = [
            *([given_id] if given_id is not None else []),
            *(incoming.c[n] for n in self._listing.columns),
        ]
        new = select(*values).where(incoming.c.id.is_(None), which).order_by(incoming.c.at)
        return rows_of(self._connection, insert(self._table).from_select(names, new))

    def _move_sequence(self) -> None:
        """Let the ids that the database gives go on after the highest that the file gave."""
        sequence = func.pg_get_serial_sequence(self._table.name, "id")
        self._connection.execute(select(func.setval(sequence, func.max(self._table.c.id))))
