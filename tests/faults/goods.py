"""What the campaign's clients buy: a catalog, and batches of orders with what may become of each; seeded."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tests.faults.spellings import Spelt, spelt_by_chance
from tests.support.orders import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Sequence

POISON: Final = "CURSED-CLOCK"
"""A worker process of the campaign that has claimed an order with these bytes dies."""

SIZES: Final = (1, 10, 300)
_CHANCES: Final = (5, 5, 2)
_PLENTIFUL: Final = (
    *(f"BRASS-LAMP-{number:02}" for number in range(20)),
    # Of more than one form in Unicode.
    *(f"SMÖRG-ÅS-{number}" for number in range(4)),
)
_SCARCE: Final = tuple(f"RED-STOOL-{number}" for number in range(4))
COUNTED: Final = tuple(f"BLUE-BENCH-{number}" for number in range(4))
"""Sold out most of the time, and counted anew again and again while everybody wants them."""
COUNTED_UNITS: Final = 25
"""What is free of each when it has just been counted."""
# One lies in one house, the other in the other: together they are shipped apart.
_APART: Final = ("OAK-SHELF", "TIN-BELL")
TURNS: Final = tuple(f"PEWTER-CUP-{number:03}" for number in range(200))
"""Of each there is what a part of one batch asks for, and it is never counted anew."""
TURN_UNITS: Final = 30
UPCS: Final = dict(
    zip((*_PLENTIFUL, *_SCARCE, *COUNTED, *_APART, *TURNS), map(str, count(711_719_000_000)), strict=False)
)
"""The UPC of each item."""
_LINES_MOST = 300
_PLENTY, _FEW, _VOUCHER_USES = 1_000_000, 400, 150
# Few enough to collide, and far from those that are drawn.
_FIRST_EXPLICIT, _EXPLICIT = 1_000_000_000, 4_000
_VOUCHER = "FEW"
_BUYER = {**ADDRESS, "firstName": "Åsa", "city": "Umeå"}


def _item(sku: str, **units: int) -> dict[str, Any]:
    codes = {"ean": f"{sku}-EAN", "upc": UPCS[sku]}
    return {"sku": sku, **codes, "product": sku, "prices": {"EUR": "50.22"}, "stock": units}


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
        *(_item(sku, Main=_PLENTY, Shop=_PLENTY) for sku in _PLENTIFUL),
        *(_item(sku, Main=_FEW, Shop=_FEW // 2) for sku in _SCARCE),
        *(_item(sku, Main=COUNTED_UNITS) for sku in COUNTED),
        _item(_APART[0], Main=_PLENTY),
        _item(_APART[1], Shop=_PLENTY),
        *(_item(sku, Main=TURN_UNITS) for sku in TURNS),
    ],
    "vouchers": [{"code": _VOUCHER, "name": "A few", "percent": "10", "uses": _VOUCHER_USES}],
}

OK: Final = 0
"""Stands for an outcome that is ok, among the codes."""


# How many in a hundred are of a kind, and what may become of them.
_MAY_BE: Final[dict[str, tuple[int, frozenset[int]]]] = {
    "plain": (50, frozenset({OK})),
    "many lines": (2, frozenset({OK})),
    "scarce": (14, frozenset({OK, -2})),
    "counted": (10, frozenset({OK, -2})),
    "apart": (4, frozenset({OK})),
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
    """What is meant, however it is spelt."""
    may_be: frozenset[int]
    spelt: Spelt | None = None
    """How it is sent, if not plainly."""

    @property
    def text(self) -> bytes:
        """What is sent."""
        return json.dumps(self.order).encode() if self.spelt is None else self.spelt.text

    @property
    def ignored(self) -> tuple[str, ...]:
        """The pointers that its outcome must tell as ignored."""
        return () if self.spelt is None else self.spelt.ignored


def body_of(wanted: dict[str, Wanted]) -> bytes:
    """The body of a batch."""
    return b"{%b}" % b",".join(b"%b:%b" % (json.dumps(key).encode(), one.text) for key, one in wanted.items())


def batch(
    chance: random.Random, name: str, *, poisonous: bool, spells: bool, sizes: Sequence[int] = SIZES
) -> dict[str, Wanted]:
    """A batch of one of three sizes; one of a poisonous batch's orders kills its worker.

    ``spells``: the orders come in all the spellings of real clients.
    """
    (size,) = chance.choices(sizes, _CHANCES)
    wanted = {f"{name}/{number}": _order(chance) for number in range(size)}
    if spells:
        wanted = {
            key: replace(one, spelt=spelt_by_chance(chance, one.order, UPCS)) for key, one in wanted.items()
        }
    if poisonous:
        order = {"address": _BUYER, "products": [{"sku": POISON, "qty": 1}]}
        wanted[chance.choice(list(wanted))] = Wanted(order, frozenset({-7}))
    return wanted


def batch_in_turn(chance: random.Random, name: str) -> dict[str, Wanted]:
    """A batch whose orders want more of one item than there is."""
    sku = chance.choice(TURNS)
    return {
        f"{name}/{number}": Wanted(
            {"address": _BUYER, "products": [{"sku": sku, "qty": chance.randint(1, 2)}]}, frozenset({OK, -2})
        )
        for number in range(chance.choice((25, 120)))
    }


def batch_in_common(name: str, count: int) -> dict[str, Wanted]:
    """A batch that is the same for whoever makes one of this name, to be sent under unique keys."""
    chance = random.Random(name)  # noqa: S311 - a run must be repeatable
    return {
        f"{name}/{number}": replace(corrected(chance), may_be=frozenset({OK, -5})) for number in range(count)
    }


def batch_of_one_piece(chance: random.Random, name: str) -> dict[str, Wanted]:
    """A batch of which at most one order has something wrong with it."""
    wanted = {f"{name}/{number}": corrected(chance) for number in range(chance.choice((3, 40)))}
    if chance.random() < 0.5:
        wanted[chance.choice(list(wanted))] = _order(chance)
    return wanted


def corrected(chance: random.Random) -> Wanted:
    """An order that nothing is wrong with."""
    return Wanted({"address": _BUYER, "products": _lines(chance, _PLENTIFUL)}, frozenset({OK}))


def _order(chance: random.Random) -> Wanted:
    order: dict[str, Any] = {"address": _BUYER, "products": _lines(chance, _PLENTIFUL)}
    kind = chance.choices(list(_MAY_BE), [often for often, _ in _MAY_BE.values()])[0]
    if kind == "many lines":
        skus = chance.choices(_PLENTIFUL, k=chance.randint(50, _LINES_MOST))
        order["products"] = [{"sku": sku, "qty": 1} for sku in skus]
    elif kind == "scarce":
        order["products"] += _lines(chance, _SCARCE)
        order["warehouseGroup"] = chance.choice(["Default", "Apart"])
    elif kind == "counted":
        order["products"] += _lines(chance, COUNTED)
    elif kind == "apart":
        order |= _shipped_apart()
    elif kind == "numbered":
        order["orderNumber"] = _FIRST_EXPLICIT + chance.randrange(_EXPLICIT)
    elif kind == "voucher":
        order["voucherCodes"] = [_VOUCHER]
    elif kind == "prepared":
        order |= {**(_shipped_apart() if chance.random() < 0.5 else {}), "createOnly": True}
    elif kind == "empty":
        order["products"] = []
    elif kind == "unknown":
        order["products"] = [{"sku": "NO-SUCH-THING", "qty": 1}]
    return Wanted(order, _MAY_BE[kind][1])


def _shipped_apart() -> dict[str, Any]:
    return {"products": [{"sku": sku, "qty": 1} for sku in _APART], "warehouseGroup": "Apart"}


def _lines(chance: random.Random, skus: tuple[str, ...]) -> list[dict[str, Any]]:
    chosen = chance.sample(skus, chance.randint(1, 3))
    return [{"sku": sku, "qty": chance.randint(1, 3)} for sku in chosen]
