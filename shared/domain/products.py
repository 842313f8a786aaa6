"""Products: which item a line means, and whether it may be sold there (code -1)."""

from __future__ import annotations

from shared.domain.catalog import Assortment, Item, Market, Pricelist
from shared.domain.order import LineRequest
from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import (
    ITEM_AMBIGUOUS,
    ITEM_INACTIVE,
    ITEM_NOT_IN_MARKET,
    ITEM_UNKNOWN,
    PRICE_MISSING,
)


def find_item(
    position: int, wanted: LineRequest, assortment: Assortment, *, force: bool
) -> tuple[Item | None, list[Fault]]:
    """The item that the line's names agree on. None without a fault: unknown, and ``force`` lets it in."""
    if wanted.ean is None and wanted.upc is None and wanted.item_id is None:
        # As nearly every line: there is nothing that its SKU could disagree with.
        item = assortment.by_sku.get(wanted.sku or "")
        if item is not None:
            return item, []
    given = [(name, value, item) for name, value, item in _named(wanted, assortment) if value is not None]
    known = [(name, value, item) for name, value, item in given if item is not None]
    faults: list[Fault] = []
    if len(known) < len(given) and not (force and not known):
        words = {"id": "id", "ean": "EAN", "upc": "UPC", "sku": "SKU"}
        for name, value, item in given:
            if item is None:
                msg = f"no item has {words[name]} {quoted(value)}"
                faults.append(Fault(ITEM_UNKNOWN, f"/products/{position}/{name}", msg))
    elif len({item.id for _, _, item in known}) > 1:
        meant = ", ".join(f"{name} {quoted(value)} is SKU {quoted(item.sku)}" for name, value, item in known)
        skus = list(dict.fromkeys(item.sku for _, _, item in known))
        msg = f"they mean different items: {meant}"
        faults.append(Fault(ITEM_AMBIGUOUS, f"/products/{position}", msg, {"skus": skus}))
    return (known[0][2] if known and not faults else None), faults


def items_named(wanted: LineRequest, assortment: Assortment) -> list[Item]:
    """The items that the line's names stand for, whether they agree or not."""
    return [item for _, _, item in _named(wanted, assortment) if item is not None]


def _named(wanted: LineRequest, assortment: Assortment) -> list[tuple[str, int | str | None, Item | None]]:
    """Each name that a line can have: what it says, and the item that this stands for."""
    return [
        ("id", wanted.item_id, assortment.by_id.get(wanted.item_id) if wanted.item_id is not None else None),
        ("ean", wanted.ean, assortment.by_code(ean=wanted.ean) if wanted.ean is not None else None),
        ("upc", wanted.upc, assortment.by_code(upc=wanted.upc) if wanted.upc is not None else None),
        ("sku", wanted.sku, assortment.by_sku.get(wanted.sku) if wanted.sku is not None else None),
    ]


def line_faults(
    position: int,
    wanted: LineRequest,
    item: Item | None,
    market: Market,
    pricelist: Pricelist,
    *,
    force: bool,
) -> list[Fault]:
    """Why this item may not be sold here, or nothing."""
    if item is not None and item.active and item.sold_in(market) and pricelist.id in item.prices:
        return []  # as nearly every line: no words are made for it
    pointer = f"/products/{position}"
    faults: list[Fault] = []
    called = item.sku if item else wanted.sku or wanted.ean or wanted.upc or str(wanted.item_id)
    sku, market_name = quoted(called), quoted(market.name)
    if item is not None and not force:
        if not item.active:
            faults.append(Fault(ITEM_INACTIVE, pointer, f"SKU {sku} is not active", {"sku": called}))
        if not item.sold_in(market):
            msg = f"SKU {sku} is not sold in market {market_name}"
            where = {"sku": called, "market": market.name}
            faults.append(Fault(ITEM_NOT_IN_MARKET, pointer, msg, where))
    if wanted.unit_price is None and (item is None or pricelist.id not in item.prices):
        msg = f"SKU {sku} has no price in pricelist {quoted(pricelist.name)}; send unitPrice"
        faults.append(Fault(PRICE_MISSING, pointer, msg, {"sku": called, "pricelist": pricelist.name}))
    return faults
