"""GET /v1/orders: which orders, in which order, how many, to whom; and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import event

from api.context import app_context_of
from shared.domain.order_list import OrderFilter, OrderPage
from shared.persistence.orders.pages import find_orders
from tests.support.orders import ADDRESS, line, order
from tests.support.placed_orders import Shop, told

GERMAN = {**ADDRESS, "country": "DE"}
AMERICAN = {**ADDRESS, "country": "US", "state": "CA"}


@pytest.fixture(scope="module")
def shop(module_shop: Shop) -> Shop:
    """The orders 1 to 3 are American; 4 to 8 European, of one slice; 9 is of a registered customer."""
    table = [line("OAK-TABLE")] * 30
    module_shop.place({f"us{n}": order(address=AMERICAN) for n in range(3)})
    in_one_slice = replace(module_shop, api=module_shop.api.with_settings(sync_max_orders=0))
    in_one_slice.place({f"eu{n}": order(*table, adjustStock=False, applyVouchers=0) for n in range(5)})
    module_shop.place({"reg": order(customerRegister=True)})
    return module_shop


def test_the_newest_come_first_and_those_of_one_moment_by_number(shop: Shop) -> None:
    assert shop.numbers() == [9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_following_next_visits_each_order_once_and_previous_leads_back(shop: Shop) -> None:
    there, back = [], []

    url: str | None = "/v1/orders?limit=4"
    last = None
    while url:
        page = told(shop.api.get(url))
        there += [order["orderId"] for order in page["orders"]]
        last, url = page, page["next"]
    while last and last["previous"]:
        last = told(shop.api.get(last["previous"]))
        back += [order["orderId"] for order in last["orders"]]

    assert there == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert back == [5, 4, 3, 2, 9, 8, 7, 6]


def test_a_page_that_is_exactly_full_has_no_next(shop: Shop) -> None:
    page = told(shop.api.get("/v1/orders?limit=9&offset=0"))

    assert (len(page["orders"]), page["next"], page["previous"]) == (9, None, None)


def test_skipping_everything_is_an_empty_page(shop: Shop) -> None:
    page = told(shop.api.get("/v1/orders?offset=9"))

    assert (page["status"], page["orders"], page["next"]) == ("ok", [], None)


def test_one_order_is_found_by_number_and_a_number_that_is_none_finds_nothing(shop: Shop) -> None:
    assert shop.numbers("?order=4") == [4]
    assert shop.numbers("?order=4711") == []


def test_orders_of_one_customer(shop: Shop) -> None:
    customer = shop.orders("?order=9")[0]["customerId"]

    assert shop.numbers(f"?customer_id={customer}") == [9]
    assert shop.numbers(f"?customer_id={customer}&order=8") == []


def test_windows_of_time_that_touch_share_no_order_and_leave_none_out(shop: Shop) -> None:
    made = quote(shop.orders("?order=8")[0]["createdAt"])

    before, after = shop.numbers(f"?older_than={made}"), shop.numbers(f"?newer_than={made}")

    assert before == [3, 2, 1]
    assert after == [9, 8, 7, 6, 5, 4]
    assert shop.numbers("?newer_than=2020-01-01&older_than=2020-02-01+12:00:00") == []


def test_times_go_by_when_an_order_was_made_not_by_its_order_date(shop: Shop) -> None:
    outcome = shop.place(
        {"old": {"address": GERMAN, "orderDate": "2001-01-01", "products": [{"sku": "BRASS-LAMP", "qty": 1}]}}
    )

    assert shop.numbers("?newer_than=2020-01-01&limit=1") == outcome["old"]["orders"]
    assert shop.numbers("?older_than=2020-01-01") == []


def test_a_time_without_a_zone_is_one_of_the_organisations_zone(shop: Shop) -> None:
    tokyo = shop.api.with_settings(organisation_timezone="Asia/Tokyo")
    made = datetime.fromisoformat(shop.orders("?order=9")[0]["createdAt"])

    there = (made + timedelta(hours=9)).strftime("%Y-%m-%d+%H:%M:%S")

    assert told(tokyo.get(f"/v1/orders?order=9&newer_than={there}"))["orders"]
    assert not told(shop.api.get(f"/v1/orders?order=9&newer_than={there}"))["orders"]


def test_a_key_limited_to_markets_sees_the_orders_of_its_markets(shop: Shop) -> None:
    american, nobody = shop.key_for_markets("American", 2), shop.key_for_markets("Nobody")

    assert shop.numbers("", american) == [3, 2, 1]
    assert shop.numbers("?order=4", american) == []
    assert shop.numbers("?limit=2&offset=1", american) == [2, 1]
    assert shop.numbers("", nobody) == []


def test_a_key_that_may_not_read_orders_is_403(shop: Shop) -> None:
    writer = shop.api.new_key("Writer", "orders:write", "stock:read")

    assert shop.api.get("/v1/orders", writer).status_code == 403


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("limit=0", "limit", "'0' is not in 1..1000"),
        ("limit=1001", "limit", "'1001' is not in 1..1000"),
        ("limit=2.5", "limit", "'2.5' is not a whole number"),
        ("limit=", "limit", "'' is not a whole number"),
        ("limit=5&limit=6", "limit", "stands more than once"),
        ("offset=-1", "offset", "'-1' is not in 0..100000"),
        ("offset=100001", "offset", "'100001' is not in 0..100000"),
        ("order=x", "order", "'x' is not a whole number"),
        ("order=9007199254740992", "order", "'9007199254740992' is not in"),
        ("order=" + "9" * 5000, "order", "is not a whole number"),
        ("customer_id=%00", "customer_id", "'\\x00' is not a whole number"),
        ("newer_than=2026-02-30", "newer_than", "'2026-02-30' is not a date"),
        ("older_than=yesterday", "older_than", "'yesterday' is not a date"),
        ("newer_than=%FF", "newer_than", "is not a date"),
    ],
)
def test_a_bad_value_is_refused_by_its_name_and_itself(shop: Shop, query: str, name: str, value: str) -> None:
    response = shop.api.get(f"/v1/orders?{query}")

    assert response.status_code == 400
    envelope = told(response)
    assert (envelope["status"], envelope["code"]) == ("no", -7)
    assert envelope["msg"].startswith(f"{name}: ")
    assert value in envelope["msg"]
    assert envelope["errors"][0]["pointer"] == f"/{name}"


def test_all_bad_values_are_told_at_once(shop: Shop) -> None:
    errors = told(shop.api.get("/v1/orders?limit=x&offset=y&order=0"))["errors"]

    assert [error["pointer"] for error in errors] == ["/limit", "/offset", "/order"]


@pytest.mark.parametrize(
    "path", ["/v1/orders", "/v1/stock", "/v1/limits", "/v1/jobs/x", "/v1/jobs/x/results"]
)
def test_a_parameter_that_a_path_does_not_know_is_refused_by_name(shop: Shop, path: str) -> None:
    key = shop.api.new_key(f"reader of {path}", "orders:read", "stock:read")

    refused = shop.api.client.get(f"{path}?stokc=5", headers={"API-Authorization": key})

    assert (refused.status_code, told(refused)["errors"][0]["pointer"]) == (400, "/stokc")
    assert told(refused)["msg"].startswith("stokc: is no parameter of GET /v1/")


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/order", "/v1/order/5", "/v1/stock"])
def test_a_parameter_that_a_path_with_a_body_does_not_know_is_refused_by_name(shop: Shop, path: str) -> None:
    key = shop.api.new_key(f"writer of {path}", "orders:write", "stock:write")

    refused = shop.api.client.post(f"{path}?dryRun=true", json={}, headers={"API-Authorization": key})

    assert (refused.status_code, told(refused)["errors"][0]["reason"]) == (400, "unknown_field")


def test_strict_handling_is_told_as_applied(shop: Shop) -> None:
    headers = {"API-Authorization": shop.api.key, "Prefer": "handling=strict"}

    honoured = shop.api.client.get("/v1/orders?limit=1", headers=headers)

    assert honoured.headers["Preference-Applied"] == "handling=strict"


def test_a_page_of_too_many_lines_is_refused_but_one_order_never(shop: Shop) -> None:
    narrow = shop.api.with_settings(orders_page_max_lines=29)

    several = narrow.get("/v1/orders?older_than=2999-01-01&limit=9")
    single = narrow.get("/v1/orders?order=5")

    assert several.status_code == 400
    assert "ordersPageMaxLines" in told(several)["msg"]
    assert len(told(single)["orders"][0]["products"]) == 30


def test_a_page_of_too_many_bytes_is_refused_with_the_limit_that_would_do_but_one_order_never(
    shop: Shop,
) -> None:
    narrow = shop.api.with_settings(orders_page_max_bytes=35_000)

    several = narrow.get("/v1/orders?older_than=2999-01-01&limit=9")
    assert several.status_code == 400
    assert "ordersPageMaxBytes" in told(several)["msg"]
    would_do = int(told(several)["msg"].partition("limit=")[2].split()[0])
    assert 1 < would_do < 9
    assert narrow.get(f"/v1/orders?older_than=2999-01-01&limit={would_do + 1}").status_code == 400
    fitting = narrow.get(f"/v1/orders?older_than=2999-01-01&limit={would_do}")
    assert len(told(fitting)["orders"]) == would_do

    narrower = shop.api.with_settings(orders_page_max_bytes=1024)
    assert len(told(narrower.get("/v1/orders?order=5"))["orders"]) == 1


def test_what_a_page_is_said_to_take_is_about_what_it_takes(shop: Shop) -> None:
    said: list[int] = []
    wanted = OrderFilter(limit=9)

    page = find_orders(shop.api.engine, wanted, most_lines=10**6, most_bytes=10**9, reserve=said.append)

    assert isinstance(page, OrderPage)
    takes = len(shop.api.get("/v1/orders?limit=9").data)
    assert takes < said[0] < 1.5 * takes


def test_what_is_longer_in_json_than_stored_is_counted_as_it_is_told(shop: Shop) -> None:
    line = {"qty": 1, "sku": "BRASS-LAMP", "comment": "\u0001" * 5_000}
    shop.place({"longer": {"address": ADDRESS, "products": [line] * 20}})
    said: list[int] = []
    wanted = OrderFilter(limit=1)

    find_orders(shop.api.engine, wanted, most_lines=10**6, most_bytes=10**9, reserve=said.append)

    takes = len(shop.api.get("/v1/orders?limit=1").data)
    assert takes > 20 * 6 * 5_000
    assert takes < said[0] < 1.5 * takes


def test_a_smaller_page_than_usual_is_the_default_where_the_limit_is_smaller(shop: Shop) -> None:
    narrow = shop.api.with_settings(orders_page_max=2)

    assert len(told(narrow.get("/v1/orders"))["orders"]) == 2


@contextmanager
def statements(shop: Shop) -> Iterator[list[str]]:
    """The statements that the API sends within the block."""
    seen: list[str] = []

    def see(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    engine = app_context_of(shop.api.apps[0]).engine
    event.listen(engine, "before_cursor_execute", see)
    yield seen
    event.remove(engine, "before_cursor_execute", see)


def test_a_page_is_the_same_eight_statements_however_many_orders_and_lines(shop: Shop) -> None:
    with statements(shop) as for_one:
        shop.orders("?limit=1")
    with statements(shop) as for_all:
        shop.orders("?limit=100")

    # As of when; sizes, orders, lines, what is reserved for them, payments, siblings, shipments.
    assert len(for_one) == 8
    assert for_all == for_one
