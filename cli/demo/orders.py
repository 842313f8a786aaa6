"""The orders of the demonstration: the same ones each time, each with what its outcome must be; pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.demo.people import addresses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cli.client.outcomes import Outcome
    from cli.demo.goods import Goods

CREATED = frozenset({0})
_STOCK_MISSING = -2
# Which orders are made to fail: every so manieth, each time with the next fault.
_FAULT_EVERY = 20
# Which orders want the scarce item.
_SCARCE_EVERY = 50
_MOST_LINES = 4
_MOST_OF_ONE = 3
# How many lines in a hundred name a price of their own instead of the pricelist's.
_PRICED_PERCENT = 30


@dataclass(frozen=True)
class Expected:
    """An order, and the codes of which its outcome must have one; 0 is success."""

    order: Any
    codes: frozenset[int] = CREATED
    # Whether it wants one of the last units of the scarce item.
    scarce: bool = False


def make_batch(count: int, goods: Goods, taken_number: int) -> dict[str, Expected]:
    """Make ``count`` orders by their keys; ``taken_number`` is the number of an order that exists already."""
    chance = random.Random(count)  # noqa: S311 - the same orders each time
    known = addresses(goods.countries)
    batch = {}
    for number in range(count):
        address = {**known[number % len(known)], "email": f"buyer-{number}@example.com"}
        order = {"address": address, "products": _lines(goods, chance)}
        batch[f"order-{number:06}"] = _expected(number, order, goods, taken_number)
    return batch


def _lines(goods: Goods, chance: random.Random) -> list[dict[str, Any]]:
    skus = chance.sample(goods.plenty, k=min(chance.randint(1, _MOST_LINES), len(goods.plenty)))
    return [_line(sku, chance) for sku in skus]


def _line(sku: str, chance: random.Random) -> dict[str, Any]:
    line: dict[str, Any] = {"sku": sku, "qty": chance.randint(1, _MOST_OF_ONE)}
    if chance.randrange(100) < _PRICED_PERCENT:
        line["unitPrice"] = f"{chance.randint(1, 99)}.{chance.randrange(100):02}"
    return line


def _expected(number: int, order: dict[str, Any], goods: Goods, taken_number: int) -> Expected:
    if number % _FAULT_EVERY == _FAULT_EVERY - 1:
        faults = _faults(order, goods, taken_number)
        return faults[number // _FAULT_EVERY % len(faults)]
    if number % _SCARCE_EVERY == 0:
        wish = {**order, "products": [{"sku": goods.scarce, "qty": 1}], "market": goods.scarce_market}
        return Expected(wish, CREATED | {_STOCK_MISSING}, scarce=True)
    return Expected(order)


def _faults(order: dict[str, Any], goods: Goods, taken_number: int) -> Sequence[Expected]:
    """One of each kind: what goes wrong with orders every day."""
    address, products = order["address"], order["products"]
    without_email = {name: value for name, value in address.items() if name != "email"}

    def failing(code: int, **changed: Any) -> Expected:
        return Expected({**order, **changed}, frozenset({code}))

    return (
        failing(-1, products=[*products, {"sku": "NO-SUCH-THING", "qty": 1}]),
        failing(-1, products=[{"sku": goods.retired, "qty": 1}]),
        failing(-2, products=[{"sku": goods.plenty[0], "qty": goods.too_many}]),
        failing(-3, products=[]),
        failing(-4, address=without_email),
        failing(-5, orderNumber=taken_number),
        failing(-6, customerId=2_000_000_000),
        failing(-7, products=[{**products[0], "qty": "two"}]),
        failing(-7, address={**address, "country": "XX"}),
        Expected("not an order at all", frozenset({-7})),
    )


def surprises(batch: Mapping[str, Expected], outcomes: Mapping[str, Outcome]) -> list[str]:
    """Tell what is not as it must be, a sentence each."""
    if list(outcomes) != list(batch):
        return [f"{len(batch):,} keys were sent; {len(outcomes):,} came back, or in another order."]
    return [
        f"{key} has code {_code(outcomes[key])} where {sorted(expected.codes)} was due: {outcomes[key].msg}"
        for key, expected in batch.items()
        if _code(outcomes[key]) not in expected.codes
    ]


def scarce_counts(batch: Mapping[str, Expected], outcomes: Mapping[str, Outcome]) -> tuple[int, int]:
    """Count the orders that wanted the scarce item, and those of them that got it."""
    wanted = [key for key, expected in batch.items() if expected.scarce]
    return len(wanted), sum(outcomes[key].ok for key in wanted)


def _code(outcome: Outcome) -> int:
    return 0 if outcome.ok else outcome.code
