"""What a client sizes costs in proportion to its size: reading and deciding, at each field's greatest."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from marshmallow import ValidationError

from shared.domain.allocation import Demand, Shortage, allocate
from shared.domain.decide import decide
from shared.domain.resolve import prepare
from shared.domain.vouchers import Uses
from shared.schemas.order.declaration import OrderSchema
from shared.schemas.order.reading import OrderReader
from tests.support.domain_shop import DEFAULT, snapshot, stock
from tests.support.orders import ADDRESS, line, order

MAX_LINES = 5_000
ORDER_BYTES = 4_000_000
PATTERN_SECONDS = 0.1
READERS = {
    strict: OrderReader(zone=ZoneInfo("UTC"), max_lines=MAX_LINES, strict=strict) for strict in (False, True)
}
SHOP = snapshot()
TIMES_THE_SIZE = 4
GROWS_BY_AT_MOST = 2.5**2
"""For four times the size, 2.5 for each doubling: in proportion it is 4, and a quadratic step makes it 16."""

_TRIES = 8
_CLOCK_SECONDS = 0.001
_LINE = line()


def _text(**members: Any) -> bytes:
    return json.dumps(order(**members)).encode()


def _extra(written: str) -> bytes:
    return _text(extraAttributes="?").replace(b'"?"', written.encode())


# Each gives an order in which one thing has a size; the greatest is what fits into 4 MiB, or a limit.
SIZED: dict[str, tuple[Callable[[int], bytes], int]] = {
    "lines": (lambda n: _text(products=[_LINE] * n), MAX_LINES),
    "lines of unknown items": (
        lambda n: _text(products=[{"sku": f"S{i}", "qty": 1} for i in range(n)]),
        MAX_LINES,
    ),
    "lines without anything": (lambda n: _text(products=[{}] * n), MAX_LINES),
    "too many lines": (lambda n: _text(products=[{}] * n), 1_000_000),
    "codes": (lambda n: _text(voucherCodes=["TEN"] * n), 50),
    "too many codes": (lambda n: _text(voucherCodes=["TEN"] * n + [5]), 600_000),
    "unknown members": (lambda n: _text(**{f"m{i}": None for i in range(n)}), 100_000),
    "unknown members of a line": (
        lambda n: _text(products=[{**_LINE, **{f"m{i}": [] for i in range(n)}}]),
        100_000,
    ),
    "an unknown name": (lambda n: _text(**{"m" * n: 1}), ORDER_BYTES),
    "a comment": (lambda n: _text(comment="x" * n), ORDER_BYTES),
    "a country": (lambda n: _text(address={**ADDRESS, "country": "S" * n}), ORDER_BYTES),
    "an e-mail": (lambda n: _text(address={**ADDRESS, "email": "x@" + "a." * (n // 2)}), ORDER_BYTES),
    "a date": (lambda n: _text(orderDate="2" * n), ORDER_BYTES),
    "an integer": (lambda n: _text(orderNumber="?").replace(b'"?"', b"9" * n), ORDER_BYTES),
    "a whole number as text": (lambda n: _text(orderNumber="9" * n), ORDER_BYTES),
    "money as text": (lambda n: _text(shippingValue="9" * n), ORDER_BYTES),
    "an attribute's name": (lambda n: _text(extraAttributes={"x" * n: 1}), ORDER_BYTES),
    "an attribute's text": (lambda n: _text(extraAttributes={"x": "x" * n}), ORDER_BYTES),
    "too many attributes": (lambda n: _text(extraAttributes={f"a{i}": 1 for i in range(n)}), 300_000),
    "an attribute's list": (lambda n: _extra('{"a": [' + "1e1000," * n + "0]}"), 500_000),
    "an attribute's digits": (lambda n: _extra('{"a": 0.' + "1" * n + "}"), 49_000),
}


def _cpu_seconds(do: Callable[[], object]) -> float:
    gc.disable()
    try:
        began = time.process_time()
        do()
        return time.process_time() - began
    finally:
        gc.enable()


def _read_and_decide(raw: bytes, *, strict: bool) -> None:
    decide([prepare(READERS[strict].read(raw), SHOP, repeated=False)], stock(), Uses({}))


def _grows_in_proportion(ours: Sequence[Callable[[], object]], plain: Sequence[Callable[[], object]]) -> bool:
    """Whether the whole costs at most so many quarters; ``ours`` and ``plain`` are a quarter and the whole.

    ``plain`` is what is known to be in proportion, with as much memory: by as much as it grows beyond that,
    since what is large does not fit into the processor's caches, ours may. CPU time, in turns, the least of
    several tries: what else runs here makes some slow, and none fast.
    """
    tries: list[list[float]] = []
    for _ in range(_TRIES):
        tries.append([_cpu_seconds(do) for do in (*ours, *plain)])
        quarter, whole, plain_quarter, plain_whole = map(min, zip(*tries, strict=True))
        caches = max(1.0, plain_whole / (TIMES_THE_SIZE * plain_quarter + _CLOCK_SECONDS))
        if whole <= GROWS_BY_AT_MOST * caches * quarter + _CLOCK_SECONDS:
            return True
    print(tries)  # noqa: T201 - pytest shows it
    return False


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("thing", SIZED)
def test_twice_the_size_costs_at_most_two_and_a_half_times_as_much(thing: str, strict: bool) -> None:
    make, greatest = SIZED[thing]
    texts = make(greatest // TIMES_THE_SIZE), make(greatest)

    assert _grows_in_proportion(
        [partial(_read_and_decide, raw, strict=strict) for raw in texts],
        [partial(json.loads, raw, parse_int=len, parse_float=len) for raw in texts],
    )


def test_what_grows_with_the_square_is_seen_and_what_grows_in_proportion_is_not_accused() -> None:
    def count(steps: int) -> Callable[[], object]:
        return lambda: sum(range(steps))

    plain = [count(500_000), count(2_000_000)]

    assert _grows_in_proportion(plain, plain)
    assert not _grows_in_proportion([count(125_000), count(2_000_000)], plain)


FAULTY_LINES = 25
FAULTS_COST_AT_MOST = 0.6
"""Of what marshmallow takes to find them by the same schema."""


@pytest.mark.parametrize(
    "line", [{}, "x", {"qty": "x", "sku": 5}, {"qty": 0, "sku": "A", "unitPrice": -1}], ids=json.dumps
)
def test_whoever_sends_nothing_but_faults_does_not_take_the_workers_time(line: Any) -> None:
    raw = _text(products=[line] * FAULTY_LINES)
    sent, schema = json.loads(raw), OrderSchema(zone=ZoneInfo("UTC"), max_lines=MAX_LINES)

    def load() -> None:
        with pytest.raises(ValidationError):
            schema.load(sent)

    def seconds(read: Callable[[], Any]) -> float:
        began = time.process_time()
        for _ in range(30):
            read()
        return time.process_time() - began

    # As above: what else runs here makes some of them slow, and none fast.
    own, others = zip(
        *((seconds(lambda: READERS[False].read(raw)), seconds(load)) for _ in range(_TRIES)), strict=True
    )

    assert min(own) <= FAULTS_COST_AT_MOST * min(others), (own, others)


_HOSTILE = ("9", "1", "-", ".", "1.", "2027-01-31 12:00:00", "x@", "a.", "ä", '"', "\\", " ", "W", "+01:00")
# The members that are matched by a pattern, or by a parser that is not ours.
_MATCHED: tuple[Callable[[str], bytes], ...] = (
    lambda text: _text(orderDate=text),
    lambda text: _text(orderNumber=text),
    lambda text: _text(shippingValue=text),
    lambda text: _text(sendEmail=text),
    lambda text: _text(address={**ADDRESS, "email": text}),
    lambda text: _text(address={**ADDRESS, "country": text}),
    lambda text: _text(extraAttributes={"a": text}),
)


@pytest.mark.parametrize("piece", _HOSTILE)
def test_no_text_however_long_costs_a_pattern_more_than_a_tenth_of_a_second(piece: str) -> None:
    for make in _MATCHED:
        for size in (250, ORDER_BYTES):
            raw = make(piece * (size // len(json.dumps(piece))))

            read = partial(_read_and_decide, raw, strict=False)
            assert any(_cpu_seconds(read) < PATTERN_SECONDS for _ in range(3))


def test_of_items_that_are_short_each_is_told_with_its_first_line_and_costs_no_more_for_being_many() -> None:
    counts = (2_500, 10_000)
    demands = [[Demand(line, line % count, 2) for line in range(2 * count)] for count in counts]

    for count, wanted in zip(counts, demands, strict=True):
        found = allocate(wanted, DEFAULT, stock())
        assert isinstance(found, Shortage)
        assert [(one.wanted, one.lines) for one in found.missing] == [
            (4, (item, item + count)) for item in range(count)
        ]
    assert _grows_in_proportion(
        [partial(allocate, wanted, DEFAULT, stock()) for wanted in demands],
        [partial(_by_item, wanted) for wanted in demands],
    )


def _by_item(demands: list[Demand]) -> dict[int, list[Demand]]:
    """What is known to be in proportion to their number."""
    found: dict[int, list[Demand]] = {}
    for one in demands:
        found.setdefault(one.item_id, []).append(one)
    return found
