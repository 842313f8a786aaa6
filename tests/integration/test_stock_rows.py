"""POST /v1/stock: each row that cannot be taken is told where it stands, and all others are set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.orders import ADDRESS
from tests.support.placed_orders import Shop, open_shop, told
from tests.support.stock_counts import LAMP, STOOL, TABLE, count, post, stock_rows

if TYPE_CHECKING:
    from shared.settings import Settings

WHOLE = "is not a whole number"


@pytest.fixture(scope="module")
def one_shop(module_settings: Settings) -> Iterator[Shop]:
    with open_shop(module_settings) as made:
        make_twins(made)
        yield made


@pytest.fixture(scope="module")
def one_key(one_shop: Shop) -> str:
    return one_shop.api.new_key("Stock", "stock:write")


def make_twins(shop: Shop) -> None:
    """Make items of which some share a code: as EAN and as SKU, and as EAN and as UPC of one digit less."""
    with shop.api.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO items (sku, ean, upc) VALUES"
            " ('A', '5000', NULL), ('5000', NULL, NULL), ('SELF', 'SELF', 'SELF'),"
            " ('EAN-13', '0711719814153', NULL), ('UPC-12', NULL, '036000291452'),"
            " ('E', '0012345678905', NULL), ('U', NULL, '012345678905')"
        )


@pytest.mark.parametrize(
    ("row", "where", "reason", "msg"),
    [
        (7, "", "not_object", "7 is not an object"),
        ({"quantity": 1}, "/product", "field_missing", "is required"),
        (count("", 1), "/product", "field_missing", "is required, and is empty"),
        (
            {"product": 7301, "quantity": 1},
            "/product",
            "not_text",
            "7301 is not a string; send it in quotes, for zeros at its start would be lost",
        ),
        (
            count("a\0b", 1),
            "/product",
            "not_storable",
            "'a\\x00b' holds U+0000, which cannot be stored; leave it out",
        ),
        ({"product": STOOL}, "/quantity", "field_missing", "is required, or change in its place"),
        (count(STOOL, None), "/quantity", "field_missing", "is required, or change in its place"),
        (count(STOOL, ""), "/quantity", "field_missing", "is required, or change in its place"),
        (count(STOOL, -3), "/quantity", "out_of_range", "-3 is not in 0..2147483647"),
        (count(STOOL, 2**31), "/quantity", "out_of_range", "2147483648 is not in 0..2147483647"),
        (count(STOOL, 2.5), "/quantity", "not_whole", f"2.5 {WHOLE}"),
        (count(STOOL, True), "/quantity", "not_whole", f"true {WHOLE}"),
        (count(STOOL, "x"), "/quantity", "not_whole", f"'x' {WHOLE}"),
        (count(STOOL, 1, change=1), "/change", "sent_twice", "stands beside quantity; send one of them"),
        ({"product": STOOL, "change": "ten"}, "/change", "not_whole", f"'ten' {WHOLE}"),
        (
            {"product": STOOL, "change": 2**31 - 1},
            "/change",
            "out_of_range",
            "2 and what came to it are more than 2147483647",
        ),
        (
            count(STOOL, 1, warehouse=3),
            "/warehouse",
            "not_text",
            "3 is not a string; send it in quotes, for zeros at its start would be lost",
        ),
        (
            count(STOOL, 1, warehouse="Moon"),
            "/warehouse",
            "warehouse_unknown",
            "no warehouse is named 'Moon'",
        ),
        (count("NO-SUCH", 1), "/product", "item_unknown", "no item has the EAN, UPC or SKU 'NO-SUCH'"),
        (
            count("5000", 1),
            "/product",
            "item_ambiguous",
            "'5000' means 2 items, of SKU 'A', '5000'; write a code that one of them has alone",
        ),
        (
            count("012345678905", 1),
            "/product",
            "item_ambiguous",
            "'012345678905' means 2 items, of SKU 'E', 'U'; write a code that one of them has alone",
        ),
    ],
)
def test_a_row_that_cannot_be_taken_is_told_where_it_stands_and_the_others_are_set(
    one_shop: Shop, one_key: str, row: Any, where: str, reason: str, msg: str
) -> None:
    post(one_shop, one_key, {"products": [count(LAMP, 100), count(TABLE, 0)]})
    before = stock_rows(one_shop)

    response = post(one_shop, one_key, {"products": [count(LAMP, 7), row, count(TABLE, 9)]})

    answer = told(response)
    assert (response.status_code, answer["status"], answer["code"], answer["updated"]) == (200, "no", -7, 2)
    (error,) = answer["errors"]
    assert (error["pointer"], error["reason"], error["msg"]) == (f"/products/1{where}", reason, msg)
    name = f"products[1]{where.replace('/', '.')}"
    assert answer["msg"] == f"1 count was not taken, the others were: {name}: {msg}."
    assert stock_rows(one_shop) == before | {(LAMP, "Main"): (7, 0), (TABLE, "Main"): (9, 0)}


@pytest.mark.parametrize("number", [b"1e400", b"9" * 5000])
def test_a_number_of_any_size_is_no_more_than_a_row_at_fault(
    one_shop: Shop, one_key: str, number: bytes
) -> None:
    body = b'{"products": [{"product": "RED-STOOL", "quantity": %b}, {"product": "A", "change": 0}]}' % number

    answer = told(post(one_shop, one_key, body))

    assert [(error["pointer"], error["reason"]) for error in answer["errors"]] == [
        ("/products/0/quantity", "not_whole")
    ]


@pytest.mark.parametrize(
    ("code", "sku"),
    [
        ("0711719814153", "EAN-13"),
        ("711719814153", "EAN-13"),
        ("036000291452", "UPC-12"),
        ("0036000291452", "UPC-12"),
        ("SELF", "SELF"),
    ],
)
def test_a_upc_and_the_ean_that_it_is_are_one_code(one_shop: Shop, one_key: str, code: str, sku: str) -> None:
    post(one_shop, one_key, {"products": [count(sku, 0)]})

    answer = told(post(one_shop, one_key, {"products": [count(code, 5)]}))

    assert answer == {"status": "ok", "updated": 1, "unchanged": 0}
    assert stock_rows(one_shop)[sku, "Main"] == (5, 0)


def test_of_ten_thousand_rows_the_one_at_fault_is_told_and_the_others_are_set(
    shop: Shop, stock_key: str
) -> None:
    with shop.api.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO items (sku) SELECT 'S' || n FROM generate_series(1, 10000) AS n"
        )
    rows = [count(f"S{n}", -3 if n == 7_312 else n) for n in range(1, 10_001)]

    answer = told(post(shop, stock_key, {"products": rows}))

    assert answer == {
        "status": "no",
        "code": -7,
        "msg": "1 count was not taken, the others were: products[7311].quantity: -3 is not in 0..2147483647.",
        "updated": 9_999,
        "unchanged": 0,
        "errors": [
            {
                "pointer": "/products/7311/quantity",
                "reason": "out_of_range",
                "msg": "-3 is not in 0..2147483647",
                "params": {"least": 0, "most": 2147483647},
            }
        ],
    }


def test_a_count_below_what_is_reserved_sets_what_is_reserved_and_is_no_error(
    shop: Shop, stock_key: str
) -> None:
    shop.place({"a": {"address": ADDRESS, "products": [{"sku": LAMP, "qty": 40}]}})

    answer = told(post(shop, stock_key, {"products": [count("7301", 39), count(STOOL, 4)]}))

    assert answer == {
        "status": "ok",
        "updated": 2,
        "unchanged": 0,
        "raised": [
            {
                "pointer": "/products/0",
                "product": "7301",
                "warehouse": None,
                "quantity": 39,
                "physicalStock": 40,
            }
        ],
    }
    assert stock_rows(shop)[LAMP, "Main"] == (40, 40)
    assert stock_rows(shop)[STOOL, "Main"] == (4, 0)


def test_a_change_adds_to_what_is_there_and_takes_no_more_than_is_free(shop: Shop, stock_key: str) -> None:
    shop.place({"a": {"address": ADDRESS, "products": [{"sku": LAMP, "qty": 40}]}})
    rows = [
        {"product": "7301", "change": -70},
        {"product": STOOL, "change": "5"},
        {"product": STOOL, "change": -1},
        {"product": TABLE, "change": -1, "warehouse": "Shop"},
    ]

    answer = told(post(shop, stock_key, {"products": rows}))

    assert (answer["status"], answer["updated"]) == ("ok", 3)
    assert [(one["pointer"], one["quantity"], one["physicalStock"]) for one in answer["raised"]] == [
        ("/products/0", -70, 40),
        ("/products/3", -1, 0),
    ]
    assert stock_rows(shop)[LAMP, "Main"] == (40, 40)
    assert stock_rows(shop)[STOOL, "Main"] == (2 + 5 - 1, 0)
    assert stock_rows(shop)[TABLE, "Shop"] == (0, 0)


def test_counts_that_contradict_each_other_are_told_and_none_of_them_is_taken(
    shop: Shop, stock_key: str
) -> None:
    body = {"products": [count("7301", 1), count(LAMP, 2), count(STOOL, 9), count("7302", 9)]}

    answer = told(post(shop, stock_key, body))

    assert [(error["pointer"], error["reason"]) for error in answer["errors"]] == [
        ("/products/0", "sent_twice"),
        ("/products/1", "sent_twice"),
    ]
    assert stock_rows(shop)[LAMP, "Main"] == (100, 0)
    # Two that agree are one.
    assert (stock_rows(shop)[STOOL, "Main"], answer["updated"]) == ((9, 0), 1)


def test_an_unknown_warehouse_of_all_is_told_of_each_row_that_names_no_other(
    shop: Shop, stock_key: str
) -> None:
    body = {"warehouse": "Mars", "products": [count(LAMP, 1), count(STOOL, 1, warehouse="Main")]}

    answer = told(post(shop, stock_key, body))

    assert [(error["pointer"], error["msg"]) for error in answer["errors"]] == [
        ("/products/0/warehouse", "no warehouse is named 'Mars'")
    ]
    assert (stock_rows(shop)[LAMP, "Main"], stock_rows(shop)[STOOL, "Main"]) == ((100, 0), (1, 0))


def test_stock_of_a_shop_without_warehouses_cannot_be_set(settings: Settings) -> None:
    with open_shop(settings, catalog={"items": [{"sku": LAMP}]}) as bare:
        stock_key = bare.api.new_key("Stock", "stock:write")

        answer = told(post(bare, stock_key, {"products": [count(LAMP, 1)]}))

    assert (answer["status"], answer["updated"]) == ("no", 0)
    assert answer["errors"][0]["msg"] == "there is no warehouse yet; load a catalog that has one"
