"""The names by which the rows of a catalog file refer to each other, and to what the database has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, Table, select

from shared.domain.outcome import quoted

_NAMES_TOLD: Final = 10


class Names:
    """The names of one list: those in the database with their ids, and those that only the file has yet."""

    def __init__(
        self, connection: Connection, noun: str, table: Table, written: Iterable[str], faults: list[str]
    ) -> None:
        """``written`` are the names in the file. What is looked up in vain goes to ``faults``."""
        self._connection = connection
        self._noun = noun
        self._table = table
        self._written = frozenset(written)
        self._faults = faults
        self.ids: Mapping[str, int] = {}
        self.read()

    def read(self) -> None:
        """Read the ids, those of rows just written too."""
        rows = self._connection.execute(select(self._table.c.name, self._table.c.id))
        self.ids = dict(rows.tuples().all())

    def id_of(self, name: str, pointer: str) -> int | None:
        """The id of ``name``, which stands at ``pointer``; None while only the file has it, or nobody."""
        found = self.ids.get(name)
        if found is None and name not in self._written:
            self._faults.append(f"{pointer}: no {self._noun} is named {quoted(name)}; {self._known()}")
        return found

    def _known(self) -> str:
        known = sorted(self._written | self.ids.keys())
        told = ", ".join(quoted(name) for name in known[:_NAMES_TOLD])
        if not known:
            return "neither file nor database has any"
        more = f" and {len(known) - _NAMES_TOLD} more" if len(known) > _NAMES_TOLD else ""
        return f"the file and the database have {told}{more}"
