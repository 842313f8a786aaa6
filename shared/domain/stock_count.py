"""Stock as it is set: counts, and changes, of what a warehouse has of an item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.allocation import StockKey
from shared.domain.order import MOST_QUANTITY
from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import ITEM_AMBIGUOUS, ITEM_UNKNOWN, OUT_OF_RANGE, SENT_TWICE, WAREHOUSE_UNKNOWN

_SKUS_TOLD = 10


@dataclass(frozen=True, slots=True)
class StockCount:
    """So many units of a product, named by EAN, UPC or SKU, are in a warehouse.

    With ``is_change`` they have come to it, or, below 0, left it. ``warehouse`` None: the first one.
    ``at`` is the row's place in the request, from 0.
    """

    at: int
    product: str
    quantity: int
    warehouse: str | None = None
    is_change: bool = False


Named = Mapping[int, str]
"""The items that a product's name may mean: SKU by id."""


@dataclass(frozen=True, slots=True)
class ResolvedCounts:
    """The counts by stock key, and what is wrong with those that name none or contradict each other.

    Of one stock key there is a single count, or nothing but changes.
    """

    by_stock_key: Mapping[StockKey, Sequence[StockCount]]
    faults: Sequence[Fault]


def resolve_counts(
    counts: Iterable[StockCount], items: Mapping[str, Named], warehouses: Mapping[str | None, int]
) -> ResolvedCounts:
    """Find the stock key of each count; ``items`` and ids of ``warehouses`` are by name as sent.

    Two counts of one stock key that agree are one. Where they disagree nobody can tell which is right, so
    none of them counts: taking the last would be a guess, and could sell what is not there. Changes add up.
    """
    found: defaultdict[StockKey, list[StockCount]] = defaultdict(list)
    faults: list[Fault] = []
    for count in counts:
        named = items.get(count.product, {})
        missing = [*_item_faults(count, named), *_warehouse_faults(count, warehouses)]
        faults.extend(missing)
        if not missing:
            found[next(iter(named)), warehouses[count.warehouse]].append(count)
    by_stock_key = {}
    for stock_key, same in found.items():
        if all(count.is_change for count in same):
            by_stock_key[stock_key] = same
        elif len({(count.quantity, count.is_change) for count in same}) == 1:
            by_stock_key[stock_key] = same[:1]
        else:
            faults.extend(_contradiction(count, same) for count in same)
    return ResolvedCounts(by_stock_key, faults)


def _item_faults(count: StockCount, named: Named) -> list[Fault]:
    pointer = f"/products/{count.at}/product"
    if not named:
        return [Fault(ITEM_UNKNOWN, pointer, f"no item has the EAN, UPC or SKU {quoted(count.product)}")]
    if len(named) == 1:
        return []
    skus = [named[item_id] for item_id in sorted(named)][:_SKUS_TOLD]
    listed = ", ".join(quoted(sku) for sku in skus)
    told = f"{quoted(count.product)} means {len(named)} items, of SKU {listed}"
    msg = f"{told}; write a code that one of them has alone"
    return [Fault(ITEM_AMBIGUOUS, pointer, msg, {"skus": skus})]


def _warehouse_faults(count: StockCount, warehouses: Mapping[str | None, int]) -> list[Fault]:
    if count.warehouse in warehouses:
        return []
    pointer = f"/products/{count.at}/warehouse"
    if not warehouses:
        return [Fault(WAREHOUSE_UNKNOWN, pointer, "there is no warehouse yet; load a catalog that has one")]
    return [Fault(WAREHOUSE_UNKNOWN, pointer, f"no warehouse is named {quoted(count.warehouse)}")]


def _contradiction(count: StockCount, same: Sequence[StockCount]) -> Fault:
    other = next(one for one in same if (one.quantity, one.is_change) != (count.quantity, count.is_change))
    told = f"products[{other.at}] says something else of the same item and warehouse"
    return Fault(
        SENT_TWICE, f"/products/{count.at}", f"{told}; neither was taken: send the one that is right"
    )


def physical_after(counts: Sequence[StockCount], physical: int) -> int:
    """What these counts of one stock key make of what was there."""
    if counts[0].is_change:
        return physical + sum(count.quantity for count in counts)
    return counts[0].quantity


def overflow_faults(counts: Sequence[StockCount], physical: int) -> list[Fault]:
    """The faults of changes that would come to more than a stock row can have."""
    told = f"{physical} and what came to it are more than {MOST_QUANTITY}"
    params = {"least": 0, "most": MOST_QUANTITY}
    return [Fault(OUT_OF_RANGE, f"/products/{count.at}/change", told, params) for count in counts]


@dataclass(frozen=True, slots=True)
class Raised:
    """A count below what is reserved: the stock was set to that, ``physical``, the least that it can be."""

    count: StockCount
    physical: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSet:
    """What came of counts: how many stock rows were changed or right already, and what was not set as asked.

    ``faults`` are of counts that were not taken; those in ``raised`` were.
    """

    changed: int
    unchanged: int
    faults: Sequence[Fault] = ()
    raised: Sequence[Raised] = ()
