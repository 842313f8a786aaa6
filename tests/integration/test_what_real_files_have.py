"""What real files have in them: a table of what is sent and of the very answer, to be ticked off row by row.

Orders go through the API and a worker's own settling; each row's words are the id of its case. Rows that
need another process, or the file of a deployment, stand in HELD_ELSEWHERE by the name of their test.
"""

from __future__ import annotations

import importlib
import json
import re
import unicodedata
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from api.routes import routes
from shared.domain.scopes import SCOPES
from tests.support.catalog_files import exported, load
from tests.support.catalogs import PARAMETER_CATALOG
from tests.support.orders import ADDRESS, line, order
from tests.support.parameter_shop import read_only
from tests.support.placed_orders import Shop, told
from tests.support.stock_counts import count, post, stock_rows

SAMPLE = (Path(__file__).parents[2] / "cli" / "samples" / "orders.json").read_bytes()
Order = dict[str, Any]
Told = tuple[int, list[tuple[str, str, str]]]
"""An outcome: its code (0: ok), and pointer, reason and message of each fault."""

TAKEN = 4_711
"""The number of an order that is there before all others."""
OK: Told = (0, [])


def catalog() -> dict[str, Any]:
    """The parameters' shop, with names that have more than one form, and a warehouse that keeps five back."""
    made = deepcopy(PARAMETER_CATALOG)
    made["warehouses"].append({"id": 3, "name": "Depot", "threshold": 5})
    made["allocationRules"].append({"name": "Depot alone", "warehouses": ["Depot"]})
    made["markets"].append(
        {
            "id": 3,
            "name": "Övrigt",
            "countries": ["XK"],
            "pricelist": "EUR",
            "allocationRule": "Default",
        }
    )
    made["items"] += [
        {"sku": "SMÖRG-ÅS", "prices": {"EUR": 1}, "stock": {"Main": 100_000}},
        {"sku": "KEPT-BACK", "prices": {"EUR": 1}, "stock": {"Depot": 5}},
        {"sku": "5000", "prices": {"EUR": 1}},
        {"sku": "EAN-IS-5000", "ean": "5000", "prices": {"EUR": 1}},
    ]
    made["pricelists"].append({"id": 4, "name": "JPY", "currency": "JPY"})
    made["items"].append({"sku": "YEN-BOX", "prices": {"JPY": 999}, "stock": {"Main": 100_000}})
    made["vouchers"].append({"code": "SOMMAR-Ö", "percent": "10"})
    return made


@pytest.fixture(scope="module")
def shop(parameter_shop: Shop) -> Shop:
    load(parameter_shop.api.engine, catalog())
    parameter_shop.place({"first": order(orderNumber=TAKEN)})
    return parameter_shop


@pytest.fixture(scope="module")
def key(shop: Shop) -> str:
    return shop.api.new_key("Stock", "stock:read", "stock:write")


def nfd(name: str) -> str:
    other = unicodedata.normalize("NFD", name)
    assert other != name
    return other


def to(country: str, **rest: Any) -> Order:
    """An order of one lamp to a country, shipped for nothing."""
    return order(address={**ADDRESS, "country": country}, shippingValue=0, **rest)


def by_email(email: str) -> Order:
    return order(address={**ADDRESS, "email": email})


def no(code: int, pointer: str, reason: str, msg: str) -> Told:
    return code, [(pointer, reason, msg)]


def not_a_country(sent: str, meant: str) -> Told:
    says = f"{sent!r} is not an ISO 3166 alpha-2 country code; write {meant!r}"
    return no(-7, "/address/country", "not_country", says)


SIZE = {"localizedSize": "5½", "localizationDefinitionName": "UK"}

ROWS: dict[str, tuple[Order, Told]] = {
    "an invoice of 1,114 lines": (order(*[line()] * 1_114), OK),
    "an order of 5,000 lines": (order(*[line()] * 5_000), OK),
    "an order of 5,001 lines": (
        order(*[line()] * 5_001),
        no(-7, "/products", "too_many", "has 5001 lines; 5000 are the most in one order"),
    ),
    'PHP\'s empty map: "payment": []': (order(payment=[]), OK),
    'PHP\'s empty map: "extraAttributes": []': (order(extraAttributes=[]), OK),
    'PHP\'s empty map: "itemText": []': (order(line(itemText=[])), OK),
    "PHP's list with holes": ({**order(), "products": {"1": line(), "3": line("RED-STOOL")}}, OK),
    "PHP's list with holes, pointers with the names as sent": (
        {**order(), "products": {"1": line(), "3": line("NO-LAMP")}},
        no(-1, "/products/3/sku", "item_unknown", "no item has SKU 'NO-LAMP'"),
    ),
    '"" for an optional date, number, flag or name': (
        order(orderDate="", shippingValue="", forceCreate="", market="", voucherCodes=""),
        OK,
    ),
    '"0000-00-00 00:00:00"': (order(orderDate="0000-00-00 00:00:00", deliveryDate="0000-00-00"), OK),
    '"2026-05-29 10:15:00 +0200"': (order(orderDate="2026-05-29 10:15:00 +0200"), OK),
    "products[].upc": (order({"upc": "711719814153", "qty": 1}), OK),
    "localizedProdSize on the line": (order(line(localizedProdSize=SIZE)), OK),
    "item with EAN 0711719814153, order with 711719814153": (order({"ean": "711719814153", "qty": 1}), OK),
    "sku in NFD": (order(line(nfd("SMÖRG-ÅS"))), OK),
    "market in NFD": (order(market=nfd("Övrigt"), shippingValue=0), OK),
    "voucher code in NFD": (order(voucherCodes=[nfd("SOMMAR-Ö")]), OK),
    "voucher in another case": (order(voucherCodes=["Ten"]), OK),
    "eva..lind@docomo.ne.jp": (by_email("eva..lind@docomo.ne.jp"), OK),
    "pos@shop.local": (by_email("pos@shop.local"), OK),
    "x@shop.test": (by_email("x@shop.test"), OK),
    "n/a on a delivery address with a good invoice e-mail": (
        {
            "products": [line()],
            "invoiceAddress": ADDRESS,
            "deliveryAddress": {"country": "SE", "email": "n/a"},
        },
        OK,
    ),
    "country UK": (to("UK"), not_a_country("UK", "GB")),
    "country EL": (to("EL"), not_a_country("EL", "GR")),
    "country Sweden": (to("Sweden"), not_a_country("Sweden", "SE")),
    'country "SE "': (to("SE "), not_a_country("SE ", "SE")),
    "country se": (to("se"), not_a_country("se", "SE")),
    "country XK": (to("XK"), OK),
    "a pricelist in JPY, a voucher of 10 % on 999": (
        order(line("YEN-BOX"), pricelist="JPY", voucherCodes=["TEN"], shippingValue=0),
        OK,
    ),
    "a pricelist in JPY, a price of 899.5": (
        order(line("YEN-BOX", unitPrice="899.5"), pricelist="JPY", shippingValue=0),
        no(
            -7,
            "/products/0/unitPrice",
            "too_many_decimals",
            "899.50 has decimals, and JPY has none; round it first",
        ),
    ),
    "a voucher without its currency + an unknown customer": (
        order(pricelist="SEK", voucherCodes=["GIFT"], customerId=99_999),
        no(-7, "/voucherCodes/0", "voucher_not_in_currency", "voucher 'GIFT' has no amount in SEK"),
    ),
    "a used-up voucher + a taken number": (
        order(voucherCodes=["SPENT"], orderNumber=TAKEN),
        no(-7, "/voucherCodes/0", "voucher_used_up", "voucher 'SPENT' has no uses left"),
    ),
    "an account without address + a bad qty": (
        {"accountId": 8, "products": [{"sku": "BRASS-LAMP", "qty": "two"}]},
        no(-4, "/address", "account_without_address", "is required; account 8 has no default address"),
    ),
    '"voucherCodes": ["", "NOPE"]': (
        order(voucherCodes=["", "NOPE"]),
        (
            -7,
            [
                ("/voucherCodes/0", "is_empty", "is empty"),
                ("/voucherCodes/1", "voucher_unknown", "no voucher has code 'NOPE'"),
            ],
        ),
    ),
    "an order in SEK delivered to Germany": (
        to("DE", currency="SEK"),
        no(
            -7,
            "/currency",
            "currency_mismatch",
            "pricelist 'EUR' is in EUR, not in SEK; name one that is in SEK ('SEK')",
        ),
    ),
    "an order in SEK that names the pricelist": (to("DE", currency="SEK", pricelist="SEK"), OK),
}


def outcome_of(shop: Shop, sent: Order) -> dict[str, Any]:
    outcome: dict[str, Any] = shop.place({"a": sent})["a"]
    return outcome


def short(outcome: dict[str, Any]) -> Told:
    if outcome["status"] == "ok":
        return OK
    return outcome["code"], [(one["pointer"], one["reason"], one["msg"]) for one in outcome["errors"]]


@pytest.mark.parametrize(("sent", "expected"), ROWS.values(), ids=ROWS)
def test_an_order_has_the_outcome_of_its_row(shop: Shop, sent: Order, expected: Told) -> None:
    assert short(outcome_of(shop, sent)) == expected


# -- what is read back of those that were taken -------------------------------------------------------------


def on_the_line(name: str) -> Callable[[Order], Any]:
    return lambda found: found["products"][0][name]


READ_BACK: dict[str, tuple[str, Callable[[Order], Any], Any]] = {
    "payment": ('PHP\'s empty map: "payment": []', lambda found: found["payment"], None),
    "attributes": ('PHP\'s empty map: "extraAttributes": []', lambda found: found["extraAttributes"], None),
    "lines": (
        "PHP's list with holes",
        lambda found: [one["sku"] for one in found["products"]],
        ["BRASS-LAMP", "RED-STOOL"],
    ),
    "moment": (
        '"2026-05-29 10:15:00 +0200"',
        lambda found: found["orderDate"],
        "2026-05-29T10:15:00+02:00",
    ),
    "upc": ("products[].upc", on_the_line("sku"), "UPC-CLOCK"),
    "ean": ("item with EAN 0711719814153, order with 711719814153", on_the_line("sku"), "UPC-CLOCK"),
    "size": ("localizedProdSize on the line", on_the_line("itemText"), {"localizedProdSize": SIZE}),
    "sku": ("sku in NFD", on_the_line("sku"), "SMÖRG-ÅS"),
    "market": ("market in NFD", lambda found: found["market"], "Övrigt"),
    "voucher, in NFD": ("voucher code in NFD", lambda found: found["voucherValue"], 5.02),
    "voucher, in another case": ("voucher in another case", lambda found: found["voucherValue"], 5.02),
    "e-mail": (
        "n/a on a delivery address with a good invoice e-mail",
        lambda found: (found["billingEmail"], found["deliveryEmail"]),
        (ADDRESS["email"], "n/a"),
    ),
    "yen": (
        "a pricelist in JPY, a voucher of 10 % on 999",
        lambda found: (found["voucherValue"], found["grandTotalValue"]),
        (100, 899),
    ),
    "currency": ("an order in SEK that names the pricelist", lambda found: found["orderCurrency"], "SEK"),
}


@pytest.mark.parametrize(("row", "part", "expected"), READ_BACK.values(), ids=READ_BACK)
def test_what_was_meant_is_read_back(
    shop: Shop, row: str, part: Callable[[Order], Any], expected: Any
) -> None:
    assert part(read_only(shop, outcome_of(shop, ROWS[row][0]))) == expected


def test_a_price_that_stands_twice_in_the_sample_file_is_not_sold_at_the_second(shop: Shop) -> None:
    twice = SAMPLE.replace(b'"unitPrice": 14.11', b'"unitPrice": 14.11, "unitPrice": 1.00')

    outcome = shop.settled(shop.api.post(twice, Prefer="respond-async").headers["Location"])["x123"]

    assert b'"itemText" : {' in twice != SAMPLE
    assert (outcome["code"], outcome["errors"][0]["reason"]) == (-7, "not_readable")
    assert "the member 'unitPrice' stands twice" in outcome["msg"]


def test_a_misspelt_member_of_the_sample_file_is_an_error_where_handling_is_strict(shop: Shop) -> None:
    misspelt = SAMPLE.replace(b'"products"', b'"shippingVaule": 4.90, "products"', 1)

    accepted = shop.api.post(misspelt, Prefer="respond-async, handling=strict")
    outcome = shop.settled(accepted.headers["Location"])["x123"]

    assert outcome["code"] == -7
    assert [(one["pointer"], one["reason"]) for one in outcome["errors"]] == [
        ("/shippingVaule", "unknown_field")
    ]


def test_eva_at_buecher_is_one_customer_however_her_domain_is_spelled(shop: Shop) -> None:
    spellings = ["eva@bücher.example", "eva@xn--bcher-kva.example", "EVA@BÜCHER.example"]

    placed = shop.place({one: {**by_email(one), "customerRegister": True} for one in spellings}) | shop.place(
        {"again": {**by_email(spellings[1]), "customerRegister": True}}
    )

    customers = {read_only(shop, outcome)["customerId"] for outcome in placed.values()}
    assert len(customers) == 1


def test_unknown_members_are_ignored_and_the_outcome_says_so(shop: Shop) -> None:
    made = outcome_of(shop, order(poNummer="PO-7", tax=1))
    refused = outcome_of(shop, order(line("NO-LAMP"), poNummer="PO-7", tax=1))

    assert (made["status"], made["ignored"]) == ("ok", ["/poNummer", "/tax"])
    assert (refused["code"], refused["ignored"]) == (-1, ["/poNummer", "/tax"])


# -- requests that are refused, or answered otherwise -------------------------------------------------------


def test_nan_in_order_7311_of_a_60_mb_batch_is_told_with_its_byte_and_its_key(shop: Shop) -> None:
    one = b'"order-%d":{"comment":"%b","qty":1}'
    body = bytearray(b"{" + b",".join(one % (n, b"x" * 8_000) for n in range(1, 7_501)) + b"}")
    at = body.index(b":1}", body.index(b'"order-7311"')) + 1
    body[at : at + 1] = b"NaN"

    response = shop.api.post(bytes(body))

    assert response.status_code == 400
    assert told(response)["msg"] == (
        f"The body is not JSON: NaN and Infinity are not numbers in JSON at byte {at} (line 1, "
        f"column {at + 1}), after the key 'order-7311' of order 7311; send null, or leave the field out."
    )


GETS = [route.rule for route in routes() if route.method == "GET" and route.rule.startswith("/v1/")]


@pytest.mark.parametrize("rule", GETS)
def test_a_misspelt_parameter_of_any_get_is_400_that_names_it(shop: Shop, rule: str) -> None:
    key = shop.api.new_key(f"Reader of {rule}", *SCOPES)

    response = shop.api.get(f"{re.sub(r'<[^>]+>', '1', rule)}?stokItemId=5", key)

    assert response.status_code == 400
    assert [(one["pointer"], one["reason"]) for one in told(response)["errors"]] == [
        ("/stokItemId", "unknown_field")
    ]


def test_a_plus_that_became_a_blank_is_told_to_be_written_as_2b(shop: Shop) -> None:
    response = shop.api.get("/v1/orders?newer_than=2027-01-31T12:00:00+01:00")

    assert response.status_code == 400
    assert told(response)["msg"].endswith("; in a query string, a + is written %2B")


def test_stock_of_one_item_and_of_what_has_changed_is_not_the_whole_catalog(shop: Shop, key: str) -> None:
    def skus(query: str) -> list[str]:
        return [one["sku"] for one in told(shop.api.get(f"/v1/stock?{query}", key))["products"]]

    assert skus("stockItemId=10") == ["BRASS-LAMP"]
    assert skus("stock_modified=2999-01-01") == []


def test_of_ten_thousand_counts_one_of_minus_three_is_told_and_the_others_are_set(
    shop: Shop, key: str
) -> None:
    with shop.api.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO items (sku) SELECT 'S' || n FROM generate_series(1, 10000) n")
    counts = [count(f"S{n}", -3 if n == 7_312 else n) for n in range(1, 10_001)]

    answer = told(post(shop, key, {"products": counts}))

    assert (answer["status"], answer["updated"]) == ("no", 9_999)
    assert [(one["pointer"], one["msg"]) for one in answer["errors"]] == [
        ("/products/7311/quantity", "-3 is not in 0..2147483647")
    ]


def test_a_code_that_is_one_items_ean_and_anothers_sku_is_told_and_not_set(shop: Shop, key: str) -> None:
    answer = told(post(shop, key, {"products": [count("5000", 7)]}))

    assert [(one["pointer"], one["reason"]) for one in answer["errors"]] == [
        ("/products/0/product", "item_ambiguous")
    ]
    assert not {sku for sku, _ in stock_rows(shop)} & {"5000", "EAN-IS-5000"}


def test_five_in_a_warehouse_that_keeps_five_back_are_none_as_an_order_sees_it(shop: Shop, key: str) -> None:
    [seen] = told(shop.api.get("/v1/stock?sku=KEPT-BACK", key))["products"]
    asked = outcome_of(shop, order(line("KEPT-BACK"), warehouseGroup="Depot alone"))

    assert seen["availableStock"] == 0
    assert (asked["code"], asked["errors"][0]["params"]) == (
        -2,
        {"wanted": 1, "available": 0, "sku": "KEPT-BACK"},
    )


def test_only_what_a_catalog_row_names_changes(shop: Shop) -> None:
    whole = {
        "sku": "ASLEEP",
        "ean": "7399",
        "product": "Owl",
        "active": False,
        "markets": ["Europe"],
        "stock": {"Main": 1},
    }
    voucher = {"code": "LIMITED", "percent": "10", "uses": 3}
    load(shop.api.engine, {"items": [whole], "vouchers": [voucher]})
    before = exported_rows(shop)

    load(shop.api.engine, {"items": [{"sku": "ASLEEP", "stock": {"Main": 5}}]})
    load(shop.api.engine, {"vouchers": [{"code": "LIMITED", "name": "Ten"}]})

    item, limited = exported_rows(shop)
    assert item == {**before[0], "stock": {"Main": 5}}
    assert (item["active"], item["ean"], item["markets"]) == (False, "7399", ["Europe"])
    assert limited == {**before[1], "name": "Ten"}
    assert limited["uses"] == 3


def exported_rows(shop: Shop) -> tuple[Order, Order]:
    made = json.loads(exported(shop.api.engine))
    [item] = [one for one in made["items"] if one["sku"] == "ASLEEP"]
    [voucher] = [one for one in made["vouchers"] if one.get("code") == "LIMITED"]
    return item, voucher


def test_the_limits_tell_how_many_lines_and_how_many_orders_are_waited_for(shop: Shop) -> None:
    limits = told(shop.api.get("/v1/limits"))

    assert (limits["maxLines"], limits["syncMaxOrders"]) == (5_000, 1_000)


# -- rows that need another process, or a deployment's file -------------------------------------------------

HELD_ELSEWHERE = {
    "one reading, whatever the spelling": (
        "tests.unit.shared.schemas.order.test_fast_reading",
        "test_both_ways_read_any_text_to_the_same_order_or_the_same_faults",
    ),
    "every shape is read fast": (
        "tests.unit.shared.schemas.order.test_fast_reading",
        "test_every_shape_that_clients_send_takes_the_fast_way",
    ),
    "slices are bounded by lines and bytes": (
        "tests.integration.test_api_batches",
        "test_slices_are_bounded_by_bytes_and_by_lines_too",
    ),
    "what one transaction settles is bounded by bytes": (
        "tests.integration.test_settle_waiting",
        "test_more_than_a_transaction_may_hold_is_settled_in_several",
    ),
    "what one transaction settles is bounded by lines": (
        "tests.integration.test_settle_waiting",
        "test_more_lines_than_a_transaction_may_hold_are_settled_in_several",
    ),
    "/healthz under 100 ms with 200 waiters and no worker": (
        "tests.e2e.test_hostile_capacity",
        "test_two_hundred_clients_that_wait_cost_nobody_else",
    ),
    "a thousand orders are answered in the response": (
        "tests.integration.test_api_batches",
        "test_a_thousand_orders_are_answered_in_the_response",
    ),
    "whole yen in answers and mails": (
        "tests.integration.test_currencies",
        "test_ten_percent_of_999_yen_leave_899_in_answers_and_mails",
    ),
    "whole yen in the parts of a split order": (
        "tests.integration.test_currencies",
        "test_parts_in_yen_add_up_in_whole_yen",
    ),
    "every reason stands in the OpenAPI": (
        "tests.unit.test_reasons",
        "test_the_document_describes_every_reason",
    ),
    "clients are generated by CI, in a verb of its own": (
        "tests.unit.test_ci",
        "test_the_help_names_every_verb_and_each_has_its_function",
    ),
    "submit, Ctrl-C before the answer, the same again: found": (
        "tests.e2e.test_submit_again",
        "test_the_same_command_after_ctrl_c_gives_the_outcomes_and_makes_every_order_once",
    ),
    "keys create with a forgotten --data-dir makes no database": (
        "tests.integration.test_servers_reach",
        "test_a_command_with_a_forgotten_data_dir_makes_no_database",
    ),
    "why the database cannot be reached: each cause its own sentence": (
        "tests.integration.test_tls",
        "test_each_cause_that_a_database_cannot_be_reached_has_a_sentence_of_its_own",
    ),
    "a server without TLS is told apart": (
        "tests.integration.test_tls",
        "test_a_server_without_tls_is_told_apart",
    ),
    "rediss:// and sslmode=verify-full work": (
        "tests.integration.test_tls",
        "test_the_queue_is_reached_by_tls_with_its_certificate_checked",
    ),
    "RETENTION_DAYS in .env reaches every role": (
        "tests.unit.test_compose",
        "test_a_setting_of_env_reaches_every_role_and_the_passwords_beside_it_none",
    ),
    "of two codes the contract's first wins": (
        "tests.unit.shared.domain.test_precedence",
        "test_of_two_codes_the_contracts_first_wins",
    ),
    "every reason is made by something": (
        "tests.unit.test_reasons",
        "test_every_reason_is_made_by_something_that_clients_do",
    ),
}


@pytest.mark.parametrize(("module", "name"), HELD_ELSEWHERE.values(), ids=HELD_ELSEWHERE)
def test_a_row_that_names_another_test_names_one_that_is_there(module: str, name: str) -> None:
    assert callable(getattr(importlib.import_module(module), name))


def test_the_manual_says_how_tls_is_asked_for_and_what_a_managed_server_needs() -> None:
    manual = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")

    for word in ("sslmode=verify-full", "rediss://", "PostgreSQL 1", "Redis ", "CREATE "):
        assert word in manual, word
