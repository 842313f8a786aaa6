"""Stock levels by item and warehouse, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What one warehouse has of an item; ``modified_at`` is when that changed last.

    ``threshold`` are the units that the warehouse never sells.
    """

    warehouse: str
    physical: int
    allocated: int
    modified_at: datetime
    threshold: int = 0

    @property
    def available(self) -> int:
        """What an order could get of it."""
        return max(0, self.physical - self.allocated - self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStock:
    """An item and its level in each warehouse that was asked for and has, or had, any of it.

    ``back_ordered`` are the units of it that orders wait for, from whichever warehouse has them first.
    """

    id: int
    sku: str
    ean: str | None
    upc: str | None
    product: str
    variant: str
    size: str
    brand: str
    active: bool
    back_ordered: int
    levels: Sequence[StockLevel]

    @property
    def physical(self) -> int:
        """What all warehouses have together."""
        return sum(level.physical for level in self.levels)

    @property
    def allocated(self) -> int:
        """What is reserved in all of them."""
        return sum(level.allocated for level in self.levels)

    @property
    def available(self) -> int:
        """What orders could get from all of them."""
        return sum(level.available for level in self.levels)


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page begins: after the item of this id, or, ``backwards``, before it."""

    item_id: int
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFilter:
    """Which items, by id ascending: those that match everything that is not None.

    ``market_ids`` are the markets of the reader, who sees what is sold there; None: everything. Of a
    ``warehouse`` there are the items that it has, or had, with what it has of them and nothing else.
    """

    limit: int
    item_id: int | None = None
    warehouse: str | None = None
    sku: str | None = None
    ean: str | None = None
    upc: str | None = None
    modified_since: datetime | None = None
    edge: Edge | None = None
    market_ids: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class StockPage:
    """A page of items, and where those before and after it begin; None where there are none."""

    items: Sequence[ItemStock]
    previous: Edge | None
    next: Edge | None
