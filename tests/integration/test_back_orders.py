"""Back-orders are served first: in the transaction that frees the units, oldest order first (contract §9)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count as counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from shared.domain.stock_count import StockCount, StockSet
from shared.persistence.core.back_orders import lock_waiting, serve_waiting
from shared.persistence.core.database import transaction
from shared.persistence.core.errors import TransientError
from shared.persistence.stock.counts import set_stock
from shared.persistence.stock.lock import lock_stock
from tests.support.catalog_files import load, rows
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told
from tests.support.stock_counts import post, stock_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

POTS = counter(1)
SECONDS_MAX = 5


@pytest.fixture
def pot(shop: Shop, nothing_is_broken: None) -> str:  # noqa: ARG001 - it looks in the end
    """An item of which there is nothing."""
    sku = f"CLAY-POT-{next(POTS)}"
    load(shop.api.engine, {"items": [{"sku": sku, "prices": {"EUR": "10"}, "stock": {"Main": 0, "Shop": 0}}]})
    return sku


def wait_for(shop: Shop, *wanted: tuple[str, int], **rest: Any) -> int:
    """Place an order of which nothing is there; give its number."""
    lines = [line(sku, quantity) for sku, quantity in wanted]
    [number] = shop.place({"a": order(*lines, forceCreate=True, **rest)})["a"]["orders"]
    return int(number)


def given(shop: Shop, number: int) -> list[tuple[int, dict[str, int]]]:
    """Of each line of an order: the units that it waits for, and those reserved by warehouse."""
    [found] = shop.orders(f"?order={number}")
    return [
        (one["backOrdered"], {at["name"]: at["itemQty"] for at in one["warehouses"]})
        for one in found["products"]
    ]


def set_counts(shop: Shop, key: str, *products: dict[str, Any]) -> dict[str, Any]:
    answer = told(post(shop, key, {"products": list(products)}))
    assert answer["status"] == "ok", answer
    return answer


def test_a_count_serves_whole_lines_oldest_order_first_and_none_overtakes(
    shop: Shop, stock_key: str, pot: str
) -> None:
    oldest, middle, youngest = (wait_for(shop, (pot, quantity)) for quantity in (2, 3, 1))

    set_counts(shop, stock_key, {"product": pot, "quantity": 4, "warehouse": "Main"})

    # The youngest would fit, and waits all the same.
    assert [given(shop, number) for number in (oldest, middle, youngest)] == [
        [(0, {"Main": 2})],
        [(3, {})],
        [(1, {})],
    ]
    assert stock_rows(shop)[pot, "Main"] == (4, 2)

    set_counts(shop, stock_key, {"product": pot, "change": 2, "warehouse": "Main"})

    assert [given(shop, number) for number in (middle, youngest)] == [[(0, {"Main": 3})], [(0, {"Main": 1})]]
    assert stock_rows(shop)[pot, "Main"] == (6, 6)


def test_each_line_of_an_order_waits_for_itself(shop: Shop, stock_key: str, pot: str) -> None:
    number = wait_for(shop, (pot, 1), ("OAK-TABLE", 1))

    set_counts(shop, stock_key, {"product": pot, "quantity": 1, "warehouse": "Shop"})

    assert given(shop, number) == [(0, {"Shop": 1}), (1, {})]


def test_a_line_takes_from_all_warehouses_of_its_rule_whichever_was_counted(
    shop: Shop, stock_key: str, pot: str
) -> None:
    set_counts(shop, stock_key, {"product": pot, "quantity": 1, "warehouse": "Shop"})
    number = wait_for(shop, (pot, 3))

    set_counts(shop, stock_key, {"product": pot, "quantity": 2, "warehouse": "Main"})

    assert given(shop, number) == [(0, {"Main": 2, "Shop": 1})]


def test_what_a_warehouse_never_sells_serves_nobody_until_the_catalog_says_otherwise(
    shop: Shop, stock_key: str, pot: str
) -> None:
    load(shop.api.engine, {"warehouses": [{"name": "Main", "threshold": 2}]})
    number = wait_for(shop, (pot, 1))

    set_counts(shop, stock_key, {"product": pot, "quantity": 2, "warehouse": "Main"})

    assert given(shop, number) == [(1, {})]

    load(shop.api.engine, {"warehouses": [{"name": "Main", "threshold": 1}]})

    assert given(shop, number) == [(0, {"Main": 1})]


def test_a_catalog_load_serves_what_waits_for_the_stock_that_it_sets(shop: Shop, pot: str) -> None:
    older, younger = wait_for(shop, (pot, 2)), wait_for(shop, (pot, 2))

    load(shop.api.engine, {"items": [{"sku": pot, "stock": {"Main": 1, "Shop": 2}}]})

    assert (given(shop, older), given(shop, younger)) == ([(0, {"Shop": 2})], [(2, {})])

    load(shop.api.engine, {"items": [{"sku": pot, "stock": {"Main": 5}}]})

    assert given(shop, younger) == [(0, {"Main": 2})]


def test_what_may_not_be_sold_waits_until_the_catalog_sells_it(shop: Shop, stock_key: str, pot: str) -> None:
    load(shop.api.engine, {"items": [{"sku": pot, "active": False}]})
    number = wait_for(shop, (pot, 1))
    set_counts(shop, stock_key, {"product": pot, "quantity": 5, "warehouse": "Main"})
    assert given(shop, number) == [(1, {})]

    load(shop.api.engine, {"items": [{"sku": pot, "active": True}]})

    assert given(shop, number) == [(0, {"Main": 1})]


@pytest.mark.parametrize("untouched", [{"adjustStock": False}, {"deliveryWindow": "AW27"}], ids=str)
def test_what_takes_no_stock_is_given_none(
    shop: Shop, stock_key: str, pot: str, untouched: dict[str, Any]
) -> None:
    load(shop.api.engine, {"items": [{"sku": pot, "active": False}]})
    wait_for(shop, (pot, 1), **untouched)

    load(shop.api.engine, {"items": [{"sku": pot, "active": True}]})
    set_counts(shop, stock_key, {"product": pot, "quantity": 5, "warehouse": "Main"})

    assert stock_rows(shop)[pot, "Main"] == (5, 0)


def test_a_younger_order_gets_what_the_older_can_never_have(shop: Shop, stock_key: str, pot: str) -> None:
    load(
        shop.api.engine,
        {
            "allocationRules": [
                {"name": "Main alone", "warehouses": ["Main"]},
                {"name": "Shop alone", "warehouses": ["Shop"]},
            ]
        },
    )
    older = wait_for(shop, (pot, 2), warehouseGroup="Main alone")
    younger = wait_for(shop, (pot, 1), warehouseGroup="Shop alone")

    set_counts(shop, stock_key, {"product": pot, "quantity": 2, "warehouse": "Shop"})

    assert (given(shop, older), given(shop, younger)) == ([(2, {})], [(0, {"Shop": 1})])


def test_what_was_waited_for_is_not_sold_to_somebody_else_in_between(
    shop: Shop, stock_key: str, pot: str
) -> None:
    waiting = [wait_for(shop, (pot, 1)) for _ in range(5)]

    def buy(_: int) -> str:
        placed: str = shop.place({"a": order(line(pot))})["a"]["status"]
        return placed

    with ThreadPoolExecutor(4) as pool:
        counting = pool.submit(
            set_counts, shop, stock_key, {"product": pot, "quantity": 6, "warehouse": "Main"}
        )
        bought = list(pool.map(buy, range(12)))
        counting.result()

    assert [given(shop, number) for number in waiting] == [[(0, {"Main": 1})]] * 5
    # One was left; whoever came before the count got nothing.
    assert bought.count("ok") <= 1


@contextmanager
def freeing_a_pot(shop: Shop, pot: str) -> Iterator[tuple[Connection, int, frozenset[int]]]:
    """A transaction that has locked what waited, and then the stock, and put a pot there; the item's id."""
    engine = shop.api.engine
    [(item,)] = rows(engine, "SELECT id FROM items WHERE sku = :sku", sku=pot)
    with transaction(engine) as connection:
        locked = lock_waiting(connection, [item])
        yield connection, item, locked


def put_one(connection: Connection, item: int) -> None:
    lock_stock(connection, [item], {})
    connection.execute(
        text("UPDATE stock SET physical = 1 WHERE item_id = :item AND warehouse_id = 1"), {"item": item}
    )


def test_an_order_that_began_to_wait_while_a_count_waited_for_the_stock_is_served_too(
    shop: Shop, pot: str
) -> None:
    with freeing_a_pot(shop, pot) as (connection, item, locked):
        number = wait_for(shop, (pot, 1))
        put_one(connection, item)
        assert serve_waiting(connection, [item], locked) == [number]

    assert given(shop, number) == [(0, {"Main": 1})]


def test_nobody_waits_for_an_order_that_has_just_begun_to_wait_with_the_stock_in_hand(
    shop: Shop, pot: str
) -> None:
    with freeing_a_pot(shop, pot) as (connection, item, locked), shop.api.engine.connect() as other:
        number = wait_for(shop, (pot, 1))
        put_one(connection, item)
        other.execute(text("SELECT FROM orders WHERE number = :n FOR UPDATE"), {"n": number})

        # It could wait for this stock: that is a ring. Whoever frees units begins again.
        with pytest.raises(TransientError, match="begun to wait"):
            serve_waiting(connection, [item], locked)


_TEN_THOUSAND = (
    "INSERT INTO items (sku) SELECT 'BULK-' || n FROM generate_series(0, 9999) AS n",
    """
    INSERT INTO orders (number, state, job_id, position, batch_key, api_key_id, part, first_number,
        customer_id, market_id, pricelist_id, currency, allocation_rule_id, invoice_address, delivery_address,
        lines_total, shipping_value, voucher_value, grand_total, adjust_stock, force_create, internal_order,
        order_date, created_at)
    SELECT 1000000 + n, state, gen_random_uuid(), 0, '"bulk"', api_key_id, 0, 1000000 + n, customer_id,
        market_id, pricelist_id, currency, allocation_rule_id, invoice_address, delivery_address, 0, 0, 0, 0,
        adjust_stock, force_create, internal_order, order_date, created_at
    FROM orders CROSS JOIN generate_series(0, 4999) AS n
    """,
    """
    INSERT INTO order_lines (order_number, line, item_id, sku, quantity, back_ordered, unit_price,
        original_price)
    SELECT 1000000 + n, 0, id, sku, 1, 1, 0, 0
    FROM generate_series(0, 4999) AS n JOIN items ON sku = 'BULK-' || n * 2
    """,
)


@pytest.fixture
def many_wait(shop: Shop) -> Shop:
    """Five thousand orders wait for a unit of every other one of ten thousand items."""
    wait_for(shop, ("OAK-TABLE", 1))
    with transaction(shop.api.engine) as connection:
        for statement in _TEN_THOUSAND:
            connection.execute(text(statement))
    return shop


def timed(shop: Shop, counts: list[StockCount]) -> tuple[StockSet, float]:
    """Set stock; what came of it, and how many seconds it took."""
    begun = time.monotonic()
    done = set_stock(shop.api.engine, counts, None)
    return done, time.monotonic() - begun


def test_ten_thousand_rows_that_free_stock_for_five_thousand_waiting_lines_take_less_than_five_seconds(
    many_wait: Shop,
) -> None:
    counts = [StockCount(at, f"BULK-{at}", 2, "Main") for at in range(10_000)]
    changes = [replace(one, quantity=1, is_change=True) for one in counts]

    done, seconds = timed(many_wait, counts)
    _, nobody_waits_seconds = timed(many_wait, changes)

    assert done.changed == 10_000
    assert rows(
        many_wait.api.engine,
        "SELECT (SELECT count(*) FROM order_lines WHERE sku LIKE 'BULK-%' AND back_ordered = 0),"
        " (SELECT sum(allocated) FROM stock JOIN items ON items.id = item_id WHERE sku LIKE 'BULK-%')",
    ) == [(5_000, 5_000)]
    # Of a machine that others keep busy, what the same count takes where nobody waits says how busy.
    assert seconds < max(SECONDS_MAX, 8 * nobody_waits_seconds)
