"""ordermill orders and stock, as a client's program, against the real API."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from structlog.testing import capture_logs
from werkzeug.serving import make_server

from cli.client.goods import (
    CountsReport,
    OrdersReport,
    StockReport,
    lines_table,
    order_table,
    orders_table,
    stock_table,
    where_to_go_on,
)
from cli.main import main
from tests.support.orders import line, order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.table import Table

    from tests.support.placed_orders import Shop


@contextmanager
def served(shop: Shop) -> Iterator[str]:
    """The shop's API under a URL."""
    server = make_server("127.0.0.1", 0, shop.api.client.application, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ordermill(shop: Shop) -> Iterator[Callable[..., Result]]:
    """The program, with this shop's URL and a key that may do everything here."""
    key = shop.api.new_key("program", "orders:read", "orders:write", "stock:read", "stock:write")
    # What the API logs, here in the same process, is not what the program writes.
    with served(shop) as url, capture_logs():
        runner = CliRunner(env={"ORDERMILL_URL": url, "ORDERMILL_API_KEY": key})
        yield lambda *words, **how: runner.invoke(main, words, **how)


def lamps(shop: Shop) -> dict[str, tuple[int, int]]:
    """What there is of the lamp: physical and allocated by warehouse."""
    found = shop.api.rows(
        "SELECT warehouses.name, physical, allocated FROM stock JOIN items ON items.id = item_id"
        " JOIN warehouses ON warehouses.id = warehouse_id WHERE sku = 'BRASS-LAMP'"
    )
    return {row.name: (row.physical, row.allocated) for row in found}


def shown(*tables: Table) -> str:
    out = io.StringIO()
    for table in tables:
        Console(file=out, width=200).print(table)
    return out.getvalue()


def test_an_order_is_shown_by_its_number(shop: Shop, ordermill: Callable[..., Result]) -> None:
    [number] = shop.place({"a": order(line(qty=2), poNumber="PO-7")})["a"]["orders"]

    done = ordermill("orders", "show", str(number))

    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == shop.orders(f"?order={number}")[0]
    # Amounts as the server wrote them.
    assert '"grandTotalValue":105.34' in done.stdout


def test_an_order_that_there_is_not_is_said_so(ordermill: Callable[..., Result]) -> None:
    done = ordermill("orders", "show", "4711")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "No order has number 4711" in done.stderr


def test_orders_are_listed_newest_first(shop: Shop, ordermill: Callable[..., Result]) -> None:
    for _ in range(3):
        shop.place({"a": order()})

    done = ordermill("orders", "list", "--limit", "2", "--older-than", "2100-01-01T00:00:00Z")

    assert done.exit_code == 0
    assert [one["orderId"] for one in json.loads(done.stdout)["orders"]] == [3, 2]


def test_orders_are_found_by_key_state_and_purchase_order_and_read_on_by_a_cursor(
    shop: Shop, ordermill: Callable[..., Result]
) -> None:
    shop.place({"": order(poNumber="PO 7&8"), "a": order(), "b": order(createOnly=True)})

    def found(*words: str) -> list[int]:
        done = ordermill("orders", "list", *words)
        assert done.exit_code == 0, done.stderr
        return [one["orderId"] for one in json.loads(done.stdout)["orders"]]

    assert found("--key", "") == found("--po-number", "PO 7&8") == [1]
    assert found("--state", "prepared") == [3]
    assert found("--state", "created,prepared", "--email", "eva@example.com") == [3, 2, 1]
    page = msgspec.json.decode(shop.api.get("/v1/orders?limit=1").data, type=OrdersReport)
    option, cursor = str(where_to_go_on(page.next)).split()
    assert (option, found("--limit", "1", option, cursor)) == ("--cursor", [1])


def test_a_page_of_orders_is_a_table_for_people(shop: Shop) -> None:
    shop.place({"a": order(line(qty=2, itemText={"variant": "[bold]odd[/]"}), poNumber="PO-7")})
    page = msgspec.json.decode(shop.api.get("/v1/orders").data, type=OrdersReport)

    told = shown(orders_table(page.orders), order_table(page.orders[0]), lines_table(page.orders[0].products))

    for words in ("PO-7", "105.34 EUR", "created", "Kronan Lamp, [bold]odd[/], One size", "2 Main", "50.22"):
        assert words in told


def test_stock_is_shown_by_warehouse(shop: Shop, ordermill: Callable[..., Result]) -> None:
    shop.place({"a": order(line(qty=2)), "b": order(line("OAK-TABLE"), forceCreate=True)})

    done = ordermill("stock", "get", "--sku", "BRASS-LAMP", "--warehouse", "Main")

    [lamp] = json.loads(done.stdout)["products"]
    assert [(one["name"], one["availableStock"]) for one in lamp["warehouses"]] == [("Main", 98)]
    reader = shop.api.new_key("reader", "stock:read")
    page = msgspec.json.decode(shop.api.get("/v1/stock", reader).data, type=StockReport)
    told = [row.split() for row in shown(stock_table(page.products)).splitlines()]
    assert ["BRASS-LAMP", "Lamp", "Main", "100", "2", "98"] in told
    assert ["Shop", "5", "0", "5"] in told
    assert ["OAK-TABLE", "Table", "1"] in told


def test_what_was_counted_of_one_item_is_set(shop: Shop, ordermill: Callable[..., Result]) -> None:
    done = ordermill("stock", "set", "BRASS-LAMP", "70")

    assert (done.exit_code, json.loads(done.stdout)["updated"]) == (0, 1)
    assert lamps(shop) == {"Main": (70, 0), "Shop": (5, 0)}


@pytest.mark.parametrize(("units", "left"), [("-3", 2), ("3", 8)])
def test_units_come_and_go(shop: Shop, ordermill: Callable[..., Result], units: str, left: int) -> None:
    done = ordermill("stock", "set", "7301", units, "--change", "--warehouse", "Shop")

    assert done.exit_code == 0, done.output
    assert lamps(shop) == {"Main": (100, 0), "Shop": (left, 0)}


def test_a_file_of_counts_is_set_but_for_what_cannot_be_taken(
    shop: Shop, ordermill: Callable[..., Result], tmp_path: Path
) -> None:
    shop.place({"a": order(line(qty=2))})
    rows: list[dict[str, Any]] = [
        {"product": "NO-SUCH", "quantity": 1},
        {"product": "BRASS-LAMP", "quantity": 1},
        {"product": "RED-STOOL", "change": 5, "warehouse": "Shop"},
    ]
    file = tmp_path / "counts.json"
    file.write_text(json.dumps({"products": rows}), encoding="utf-8")

    done = ordermill("stock", "set", str(file))

    told = msgspec.json.decode(done.stdout, type=CountsReport)
    assert (done.exit_code, told.status, told.updated) == (1, "no", 2)
    assert [(one.pointer, "NO-SUCH" in one.msg) for one in told.errors] == [("/products/0/product", True)]
    assert [(one.product, one.physical_stock) for one in told.raised] == [("BRASS-LAMP", 2)]
    again = ordermill("stock", "set", "-", input=json.dumps({"products": rows[1:2]}))
    assert (again.exit_code, json.loads(again.stdout)["unchanged"]) == (0, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("BRASS-LAMP", "many"), "'many' is no number of units"),
        (("BRASS-LAMP", "1", "2"), "Give a FILE, or SKU and QTY"),
        (("no-such-file",), "For one item give SKU and QTY"),
        (("counts.json", "--change"), "go with SKU and QTY"),
        (("--nonsense",), "Give a FILE, or SKU and QTY"),
        (("BRASS-LAMP", "-1"), "/products/0/quantity"),
        ((), "FILE | SKU QTY"),
    ],
)
def test_what_cannot_be_set_is_said(
    ordermill: Callable[..., Result], words: tuple[str, ...], told: str
) -> None:
    done = ordermill("stock", "set", *words)

    assert done.exit_code in {1, 2}
    assert told in done.output


def test_a_key_without_the_scope_is_told_which(shop: Shop) -> None:
    with served(shop) as url:
        done = CliRunner().invoke(
            main, ["stock", "get", "--url", url, "--api-key", shop.api.new_key("writer", "orders:write")]
        )

    assert done.exit_code == 2
    assert "stock:read" in done.stderr
