"""Stock as it is told: levels by item and warehouse, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What one warehouse has of an item; ``modified_at`` is when that changed last."""

    warehouse: str
    physical: int
    allocated: int
    modified_at: datetime

    @property
    def available(self) -> int:
        """What is not reserved."""
        return self.physical - self.allocated


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStock:
    """An item and its level in each warehouse that has, or had, any of it."""

    id: int
    sku: str
    ean: str | None
    upc: str | None
    product: str
    variant: str
    size: str
    brand: str
    active: bool
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
        """What is not reserved."""
        return self.physical - self.allocated


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page begins: after the item of this id, or, ``backwards``, before it."""

    item_id: int
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFilter:
    """Which items, by id ascending: those that match everything that is not None.

    ``market_ids`` are the markets of the reader, who sees what is sold there; None: everything.
    """

    limit: int
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
