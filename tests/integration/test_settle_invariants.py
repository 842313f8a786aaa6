"""The invariants themselves: each kind of damage is seen, and a sound database is not accused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.settings import Settings
from tests.integration.invariants import violated
from tests.integration.mill import Mill, lines, open_mill, order


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    with open_mill(settings) as made:
        made.stock("BRASS-LAMP", main=3, shop=3)
        made.settle(
            {
                "split": order(qty=5, warehouseGroup="By warehouse", shippingValue=3),
                "forced": order("RED-STOOL", forceCreate=True),
                "prepared": order(createOnly=True),
                "rejected": order(qty=9),
                "mixed": order(products=lines(("BRASS-LAMP", 1), ("RED-STOOL", 2)), forceCreate=True),
            }
        )
        yield made


def test_a_sound_database_violates_nothing(mill: Mill) -> None:
    assert violated(mill.engine) == []


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE stock SET allocated = allocated - 1 WHERE warehouse_id = 1", "not the sum"),
        ("UPDATE stock SET allocated = physical + 1 WHERE warehouse_id = 1", "oversold"),
        ("UPDATE allocations SET quantity = quantity + 1 WHERE order_number = 1", "something else"),
        ("DELETE FROM allocations WHERE order_number = 1", "something else"),
        ("UPDATE order_lines SET item_id = 2 WHERE order_number = 1", "another item"),
        ("UPDATE order_lines SET unit_price = 1", "do not come to its total"),
        ("UPDATE orders SET part = 2 WHERE part = 1", "do not count from 0"),
        ("UPDATE orders SET first_number = 2 WHERE number = 1", "another first number"),
        ("UPDATE orders SET shipping_value = 1, grand_total = grand_total + 1 WHERE part = 1", "shipping"),
        ("UPDATE orders SET force_create = false", "nobody forced"),
        ("UPDATE orders SET state = 'created'", "something else"),
        ("UPDATE slices SET ok_count = 1", "counts"),
        ("UPDATE slices SET order_count = 9", "other keys"),
        ("""UPDATE slices SET outcomes = '{"split":{"status":"ok","orders":[77]}}'""", "do not exist"),
        ("""UPDATE slices SET outcomes = '{"split":{"status":"ok","orders":[1]}}'""", "no outcome names"),
        ("UPDATE orders SET number = 99 WHERE number = 4", "no outcome names"),
    ],
)
def test_damage_is_seen(mill: Mill, damage: str, told: str) -> None:
    for table in ("stock", "orders", "order_lines", "allocations"):
        mill.run(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    mill.run("ALTER TABLE stock DROP CONSTRAINT stock_never_oversold")
    mill.run(damage)

    assert any(told in one for one in violated(mill.engine)), violated(mill.engine)
