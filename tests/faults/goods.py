"""What the campaign's clients buy: a catalog, and batches of orders with what may become of each; seeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import random

POISON: Final = "CURSED-CLOCK"
"""A worker process of the campaign that has claimed an order with these bytes dies."""

SIZES: Final = (1, 10, 300)
_CHANCES: Final = (5, 5, 2)
_PLENTIFUL: Final = tuple(f"BRASS-LAMP-{number:02}" for number in range(20))
_SCARCE: Final = tuple(f"RED-STOOL-{number}" for number in range(4))
_PLENTY, _FEW, _VOUCHER_USES = 1_000_000, 400, 150
# Few enough to collide, and far from those that are drawn.
_FIRST_EXPLICIT, _EXPLICIT = 1_000_000_000, 4_000
_VOUCHER = "FEW"
_ADDRESS = {"country": "SE", "email": "asa@example.com", "firstName": "Åsa", "city": "Umeå"}

CATALOG: Final[dict[str, Any]] = {
    "warehouses": [{"name": "Main"}, {"name": "Shop"}],
    "allocationRules": [
        {"name": "Default", "warehouses": ["Main", "Shop"]},
        {"name": "Apart", "warehouses": ["Main", "Shop"], "split": "warehouse"},
    ],
    "pricelists": [{"name": "EUR", "currency": "EUR"}],
    "shippingOptions": [
        {"uri": "post", "name": "Post", "countries": ["SE"], "default": True, "price": {"EUR": "4.90"}}
    ],
    "markets": [{"name": "Europe", "countries": ["SE"], "pricelist": "EUR", "allocationRule": "Default"}],
    "items": [
        *(
            {
                "sku": sku,
                "product": sku,
                "prices": {"EUR": "50.22"},
                "stock": {"Main": _PLENTY, "Shop": _PLENTY},
            }
            for sku in _PLENTIFUL
        ),
        *(
            {
                "sku": sku,
                "product": sku,
                "prices": {"EUR": "20.00"},
                "stock": {"Main": _FEW, "Shop": _FEW // 2},
            }
            for sku in _SCARCE
        ),
    ],
    "vouchers": [{"code": _VOUCHER, "name": "A few", "percent": "10", "uses": _VOUCHER_USES}],
}

OK: Final = 0
"""Stands for an outcome that is ok, among the codes."""


# How many in a hundred are of a kind, and what may become of them.
_MAY_BE: Final[dict[str, tuple[int, frozenset[int]]]] = {
    "plain": (60, frozenset({OK})),
    "scarce": (20, frozenset({OK, -2})),
    "numbered": (6, frozenset({OK, -5})),
    "voucher": (4, frozenset({OK, -7})),
    "prepared": (4, frozenset({OK})),
    "empty": (3, frozenset({-3})),
    "unknown": (3, frozenset({-1})),
}


@dataclass(frozen=True)
class Wanted:
    """An order, and the codes that it may be answered with."""

    order: dict[str, Any]
    may_be: frozenset[int]


def batch(chance: random.Random, name: str, *, poisonous: bool) -> dict[str, Wanted]:
    """A batch of one of the sizes; one of a poisonous batch's orders kills its worker."""
    (size,) = chance.choices(SIZES, _CHANCES)
    wanted = {f"{name}/{number}": _order(chance) for number in range(size)}
    if poisonous:
        order = {"address": _ADDRESS, "products": [{"sku": POISON, "qty": 1}]}
        wanted[chance.choice(list(wanted))] = Wanted(order, frozenset({-7}))
    return wanted


def _order(chance: random.Random) -> Wanted:
    order: dict[str, Any] = {"address": _ADDRESS, "products": _lines(chance, _PLENTIFUL)}
    kind = chance.choices(list(_MAY_BE), [often for often, _ in _MAY_BE.values()])[0]
    if kind == "scarce":
        order["products"] += _lines(chance, _SCARCE)
        order["warehouseGroup"] = chance.choice(["Default", "Apart"])
    elif kind == "numbered":
        order["orderNumber"] = _FIRST_EXPLICIT + chance.randrange(_EXPLICIT)
    elif kind == "voucher":
        order["voucherCodes"] = [_VOUCHER]
    elif kind == "prepared":
        order["createOnly"] = True
    elif kind == "empty":
        order["products"] = []
    elif kind == "unknown":
        order["products"] = [{"sku": "NO-SUCH-THING", "qty": 1}]
    return Wanted(order, _MAY_BE[kind][1])


def _lines(chance: random.Random, skus: tuple[str, ...]) -> list[dict[str, Any]]:
    chosen = chance.sample(skus, chance.randint(1, 3))
    return [{"sku": sku, "qty": chance.randint(1, 3)} for sku in chosen]
