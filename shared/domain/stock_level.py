"""Stock as it is told and set: levels by item and warehouse, and counts of what is on a shelf."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.allocation import Place


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


@dataclass(frozen=True, slots=True)
class StockCount:
    """Somebody counted: so many units of a product, named by EAN, UPC or SKU, are on a shelf.

    ``warehouse`` None: the first one's shelf. ``at`` is the count's place in the request, from 0.
    """

    at: int
    product: str
    quantity: int
    warehouse: str | None = None


@dataclass(frozen=True, slots=True)
class Shelved:
    """The counts by shelf, and those that name no shelf or contradict each other."""

    by_place: Mapping[Place, StockCount]
    not_found: Sequence[StockCount]
    contradictory: Sequence[StockCount]


def shelve(
    counts: Iterable[StockCount], items: Mapping[str, int], warehouses: Mapping[str | None, int]
) -> Shelved:
    """Find the shelf of each count; ``items`` are ids by name as sent, ``warehouses`` too.

    Two counts of one shelf that agree are one. Where they disagree nobody can tell which is right, so none
    of them counts: taking the last would be a guess, and could sell what is not there.
    """
    found: defaultdict[Place, list[StockCount]] = defaultdict(list)
    not_found = []
    for count in counts:
        if count.product in items:
            found[items[count.product], warehouses[count.warehouse]].append(count)
        else:
            not_found.append(count)
    agreed = {place: same[0] for place, same in found.items() if len({one.quantity for one in same}) == 1}
    contradictory = [count for place, several in found.items() if place not in agreed for count in several]
    return Shelved(agreed, not_found, contradictory)


@dataclass(frozen=True, slots=True)
class Raised:
    """A count below what is reserved: the shelf was set to that, ``physical``, the least that it can be."""

    count: StockCount
    physical: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSet:
    """What came of counts: how many shelves were changed or right already, and what was not set as asked."""

    changed: int
    unchanged: int
    not_found: Sequence[StockCount]
    contradictory: Sequence[StockCount]
    raised: Sequence[Raised]


@dataclass(frozen=True, slots=True)
class UnknownWarehouses:
    """Warehouses that there are not; none of a name: there are none at all. Nothing was set."""

    names: Sequence[str]
