"""orders and stock on a terminal, and what is sent twice and what once, against a small HTTP server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cli.client.goods import where_to_go_on
from cli.commands.stock import stock
from tests.support.client_program import run
from tests.support.small_server import Canned, SmallServer, api_error
from tests.support.terminal import obeyed, on_a_terminal

if TYPE_CHECKING:
    from pathlib import Path

STEERING = "\u009b31mRED\u009b2J\u202e\x1b]0;x\x07"
SET = json.dumps({"status": "ok", "updated": 1, "unchanged": 0}).encode()
ITEM: dict[str, Any] = {
    "sku": STEERING,
    "product": STEERING,
    "backOrdered": 4,
    "warehouses": [{"name": STEERING, "physicalStock": 9, "allocatedStock": 2, "availableStock": 7}],
}
ORDER: dict[str, Any] = {
    "orderId": 7,
    "state": "partially_shipped",
    "createdAt": "2027-01-05T10:00:00Z",
    "orderDate": "2027-01-05T11:00:00+01:00",
    "market": STEERING,
    "orderCurrency": "EUR",
    "totalItemsPrice": 10,
    "shippingValue": 1,
    "voucherValue": 2,
    "grandTotalValue": 9,
    "jobId": "j",
    "batchKey": STEERING,
    "comment": STEERING,
    "products": [{"qty": 2, "sku": STEERING, "price": 5, "name": STEERING, "backOrdered": 1}],
}


def changes(tmp_path: Path, row: dict[str, Any]) -> str:
    file = tmp_path / "counts.json"
    file.write_text(json.dumps({"products": [{"product": "BRASS-LAMP", **row}]}), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("words", [("BRASS-LAMP", "3", "--change"), ()])
@pytest.mark.parametrize("lost", [Canned(), api_error(503, "The database is away.")])
def test_a_change_of_which_nobody_knows_is_not_made_again(
    server: SmallServer, tmp_path: Path, words: tuple[str, ...], lost: Canned
) -> None:
    server.canned = [lost, Canned(200, SET)]

    done = run(server, stock, "set", *(words or (changes(tmp_path, {"change": 3}),)))

    assert done.exit_code == 2
    assert len(server.seen) == 1
    assert "It may have been done all the same" in done.stderr


def test_a_count_is_sent_again_when_its_answer_is_lost(server: SmallServer, tmp_path: Path) -> None:
    server.canned = [Canned(), Canned(200, SET)]

    done = run(server, stock, "set", changes(tmp_path, {"quantity": 3}))

    assert done.exit_code == 0
    assert len(server.seen) == 2


def test_a_change_that_was_certainly_not_made_is_sent_again(server: SmallServer) -> None:
    server.canned = [api_error(429, "Too many."), Canned(200, SET)]

    done = run(server, stock, "set", "BRASS-LAMP", "3", "--change")

    assert (done.exit_code, len(server.seen)) == (0, 2)


def test_stock_on_a_terminal_is_a_table_that_steers_nothing(server: SmallServer) -> None:
    server.canned = [
        Canned(200, json.dumps({"products": [ITEM], "next": "/v1/stock?limit=1&cursor=YTc="}).encode())
    ]

    written = on_a_terminal(server, "stock", "get", "--limit", "1")

    assert obeyed(written) == []
    assert "\x1b]" not in written
    assert "physical" in written
    assert "There are more: --cursor YTc=" in written


@pytest.mark.parametrize("words", [("show", "7"), ("list",)])
def test_orders_on_a_terminal_are_tables_that_steer_nothing(
    server: SmallServer, words: tuple[str, ...]
) -> None:
    server.canned = [Canned(200, json.dumps({"orders": [ORDER], "next": None}).encode())]

    written = on_a_terminal(server, "orders", *words)

    assert obeyed(written) == []
    assert "\x1b]" not in written
    assert "9 EUR" in written


def test_counts_on_a_terminal_are_told_and_steer_nothing(server: SmallServer) -> None:
    told = {
        "status": "no",
        "updated": 1,
        "unchanged": 2,
        "errors": [{"pointer": "/products/0", "msg": STEERING}],
        "raised": [{"product": STEERING, "warehouse": STEERING, "physicalStock": 5}],
    }
    server.canned = [Canned(200, json.dumps(told).encode())]

    written = on_a_terminal(server, "stock", "set", "BRASS-LAMP", "3")

    assert obeyed(written) == []
    assert "\x1b]" not in written
    assert "1 set, 2 right already." in written
    assert "set to 5." in written


@pytest.mark.parametrize(
    ("path", "option"),
    [
        (None, None),
        ("/v1/orders?limit=20&offset=40", "--offset 40"),
        ("/v1/orders?limit=20&cursor=YTc%3D", "--cursor YTc="),
        ("/v1/orders?limit=20", None),
    ],
)
def test_the_next_page_is_told_by_the_option_that_asks_for_it(path: str | None, option: str | None) -> None:
    assert where_to_go_on(path) == option
