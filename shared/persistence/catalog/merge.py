"""One list of the catalog into its table: sent to a temporary table, matched, checked, and only then written.

What a row does not name it takes from the row that is there when the two are matched (objects by name are put
together, as RFC 7396 says): from then on an incoming row is one as it shall be.

What is already as it should be is not written again, so that loading a file twice makes no row version: hence
UPDATE and INSERT with their conditions, and no ON CONFLICT, which locks every row it meets. Nobody but a load
writes these tables, and loads come one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
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
    case,
    func,
    insert,
    null,
    or_,
    select,
    text,
    update,
)

from shared.domain.catalog_file import Count
from shared.domain.outcome import quoted
from shared.persistence.core.copying import copy_rows


@dataclass(frozen=True)
class Rule:
    """What must not be true of a row once it is whole; told at its ``member`` of the file."""

    member: str
    broken: Callable[[Table], ColumnElement[bool]]
    told: str


@dataclass(frozen=True)
class Listing:
    """How a list of the file stands in its table.

    ``keys``: the columns by which a row is known; a later one counts for rows that do not have the earlier.
    ``columns``: those that a load writes, keys included. ``unique``: others that no two rows may share.
    ``kept``: columns that do not simply become what the file says, as ``(table, incoming) → value``.
    ``shown``: the columns by which people know a row, where those are not the keys.
    ``members``: the file's names of columns that have another one.
    ``needed``: columns that a new row must have. ``merged``: objects by name, put on what is there.
    """

    name: str
    noun: str
    table: Table
    columns: Sequence[str]
    keys: Sequence[str] = ("name",)
    unique: Sequence[str] = ()
    kept: Mapping[str, Callable[[Table, Table], ColumnElement[Any]]] = field(default_factory=dict)
    shown: Sequence[str] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    needed: Sequence[str] = ()
    merged: Sequence[str] = ()
    rules: Sequence[Rule] = ()

    def bit(self, column: str) -> int:
        """What stands for a column in the number that says which of them a row names."""
        return 1 << self.columns.index(column)

    def bits(self, named: frozenset[str]) -> int:
        """The number that says which columns a row names whose members of the file are these."""
        return sum(self.bit(column) for column in self.columns if self.member(column) in named)

    def member(self, column: str) -> str:
        """A column's name in the file."""
        return self.members.get(column, column)

    def label(self, table: Table) -> ColumnElement[Any]:
        """What people know a row by."""
        return func.coalesce(*(table.c[column] for column in self.shown or self.keys))


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
        """Send ``rows``: each ``(at, members named, id or None, *columns)``, and find which the table has."""
        self._connection = connection
        self._listing = listing
        self._table = listing.table
        columns = [Column(name, self._table.c[name].type) for name in listing.columns]
        self._incoming = temporary_table(
            connection,
            f"incoming_{self._table.name}",
            [
                Column("at", Integer),
                Column("named", Integer),
                Column("given_id", BigInteger),
                *columns,
                Column("id", BigInteger),
            ],
        )
        bits = cache(listing.bits)
        sent = ((at, bits(named), *values) for at, named, *values in rows)
        fill(connection, self._incoming, ["at", "named", "given_id", *listing.columns], sent)
        self._match()

    def _match(self) -> None:
        table, incoming = self._table, self._incoming
        for at, key in enumerate(self._listing.keys):
            without = self._listing.keys[:at]
            kept = {n: self._whole(n) for n in self._listing.columns if n not in (*without, key)}
            self._connection.execute(
                update(incoming)
                .values({"id": table.c.id, **kept})
                .where(incoming.c.id.is_(None), table.c[key] == incoming.c[key])
                .where(*(incoming.c[other].is_(None) for other in without))
                .where(*(table.c[other].is_(None) for other in without))
            )

    def _whole(self, name: str) -> ColumnElement[Any]:
        """A column's value of a row that is there: the file's if it names it, else the table's."""
        there: ColumnElement[Any] = self._table.c[name]
        coming: ColumnElement[Any] = self._incoming.c[name]
        named = self._incoming.c.named.op("&")(self._listing.bit(name)) != 0
        if name in self._listing.merged:
            put_on = func.jsonb_strip_nulls(func.coalesce(there, text("'{}'::jsonb")).op("||")(coming))
            # The file's null clears all of it.
            coming = case((coming.is_(None), null()), else_=put_on)
            coming = self._cleared(coming, name)
        return case((named, coming), else_=there)

    def _cleared(self, value: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        """An object by name that is cleared is empty where its column cannot be null."""
        return value if self._table.c[name].nullable else func.coalesce(value, text("'{}'::jsonb"))

    def faults(self) -> Iterator[str]:
        """What is wrong with the rows as they shall be, and what they run into in the database."""
        table, incoming = self._table, self._incoming
        named = self._listing.label(table)
        yield from self._lacking()
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
        yield from self._in_use("id", incoming.c.given_id, named)
        for column in self._listing.unique:
            yield from self._in_use(column, incoming.c[column], named)

    def _lacking(self) -> Iterator[str]:
        """What new rows are without, and what is not right in rows as a whole."""
        incoming, listing = self._incoming, self._listing
        new = select(incoming.c.at, listing.label(incoming)).where(incoming.c.id.is_(None))
        for column in listing.needed:
            unnamed = incoming.c.named.op("&")(listing.bit(column)) == 0
            for at, name in self._connection.execute(new.where(unnamed).order_by(incoming.c.at)):
                pointer = f"{listing.name}[{at}].{listing.member(column)}"
                yield f"{pointer}: is required; {listing.noun} {quoted(name)} is new"
        for rule in listing.rules:
            broken = select(incoming.c.at).where(rule.broken(incoming)).order_by(incoming.c.at)
            for at in self._connection.execute(broken).scalars():
                yield f"{listing.name}[{at}].{rule.member}: {rule.told}"

    def _in_use(self, column: str, wanted: ColumnElement[Any], named: ColumnElement[Any]) -> Iterator[str]:
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
            loses = owner.c[column].is_distinct_from(table.c[column])
            query = query.where(~select(1).where(owner.c.id == table.c.id, loses).exists())
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
            select(self._listing.label(table))
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
            *(
                self._cleared(func.jsonb_strip_nulls(incoming.c[name]), name)
                if name in self._listing.merged
                else incoming.c[name]
                for name in self._listing.columns
            ),
        ]
        new = select(*values).where(incoming.c.id.is_(None), which).order_by(incoming.c.at)
        return rows_of(self._connection, insert(self._table).from_select(names, new))

    def _move_sequence(self) -> None:
        """Let the ids that the database gives go on after the highest that the file gave."""
        sequence = func.pg_get_serial_sequence(self._table.name, "id")
        self._connection.execute(select(func.setval(sequence, func.max(self._table.c.id))))
