"""The items that orders have named, remembered while the catalog has the version that they were read at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from shared.domain.catalog import Assortment, Item
from shared.domain.codes import same_code
from shared.domain.order import LineRequest
from shared.persistence.catalog.read import find_items

MOST_KNOWN: Final = 50_000
"""Names and prices that one process remembers, whatever clients ask for: some 20 MB."""


class KnownItems:
    """What the names in orders' lines stand for. A load of the catalog changes its version, and so all."""

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._most = most
        self._version: int | None = None
        self._forget()

    def _forget(self) -> None:
        self._ids: set[int] = set()
        self._skus: set[str] = set()
        self._codes: set[str] = set()
        self._prices = 0
        self._by_id: dict[int, Item] = {}
        self._by_sku: dict[str, Item] = {}
        self._by_ean: dict[str, Item] = {}
        self._by_upc: dict[str, Item] = {}

    def assortment(self, connection: Connection, version: int, lines: Iterable[LineRequest]) -> Assortment:
        """All items that these lines name, and perhaps others; ``version`` is the catalog's here and now.

        Asked for are the names alone that were not asked for before. What a load commits between the version
        and the reading makes an item newer than the version, never older.
        """
        ids, skus, codes = _names(lines)
        if version != self._version:
            self._version = version
            self._forget()
        new_ids, new_skus, new_codes = ids - self._ids, skus - self._skus, codes - self._codes
        if new_ids or new_skus or new_codes:
            if self.size + len(new_ids) + len(new_skus) + len(new_codes) > self._most:
                self._forget()
                new_ids, new_skus, new_codes = ids, skus, codes
            self._read(connection, new_ids, new_skus, new_codes)
        return Assortment(self._by_id, self._by_sku, self._by_ean, self._by_upc)

    @property
    def size(self) -> int:
        """How much is remembered: names, items and prices."""
        return len(self._ids) + len(self._skus) + len(self._codes) + len(self._by_id) + self._prices

    def _read(self, connection: Connection, ids: set[int], skus: set[str], codes: set[str]) -> None:
        for item in find_items(connection, ids, skus, codes):
            # One that came under another name is there already.
            if item.id not in self._by_id:
                self._prices += len(item.prices)
            self._by_id[item.id] = self._by_sku[item.sku] = item
            if item.ean is not None:
                self._by_ean[same_code(item.ean)] = item
            if item.upc is not None:
                self._by_upc[same_code(item.upc)] = item
        # Those that stand for nothing, too.
        self._ids |= ids
        self._skus |= skus
        self._codes |= codes


def _names(lines: Iterable[LineRequest]) -> tuple[set[int], set[str], set[str]]:
    """The ids, the SKUs and the codes that these lines name."""
    ids: set[int] = set()
    skus: set[str] = set()
    codes: set[str] = set()
    for line in lines:
        if line.sku is not None:
            skus.add(line.sku)
        if line.item_id is not None:
            ids.add(line.item_id)
        if line.ean is not None:
            codes.add(line.ean)
        if line.upc is not None:
            codes.add(line.upc)
    return ids, skus, codes
