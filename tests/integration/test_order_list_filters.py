"""GET /v1/orders by state, key, job, poNumber, e-mail and change, and followed by cursor (contract §9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from sqlalchemy import select, text

from shared.domain.order_list import LISTED_STATES, ORDER_STATES, OrderEdge, OrderFilter
from shared.persistence.core.database import transaction
from shared.persistence.core.order_changes import mark_changed
from shared.persistence.orders.page_numbers import numbers_of_page
from tests.support.orders import order
from tests.support.placed_orders import Shop, open_shop, told
from tests.support.written_orders import write_copies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from shared.settings import Settings

BRASS = "wörd \u0000/&=+"


@pytest.fixture(scope="module")
def shop(module_shop: Shop) -> Shop:
    """1 is plain; 2 is Bo's, with a purchase order; 3 is prepared; 4 and 5 are of one job, and of keys."""
    module_shop.place({"plain": order()})
    module_shop.place({"bo": order(email="Bo@bücher.example", poNumber="PO 7 é", customerRegister=True)})
    module_shop.place({"later": order(createOnly=True)})
    module_shop.place({BRASS: order(email="bo@BÜCHER.example"), "": order(poNumber="po 7 é")})
    return module_shop


def numbers(shop: Shop, **query: Any) -> list[int]:
    return shop.numbers(f"?{urlencode(query)}")


def test_prepared_orders_are_listed_only_when_asked_for(shop: Shop) -> None:
    assert numbers(shop) == [5, 4, 2, 1]
    assert numbers(shop, state="prepared") == [3]
    assert numbers(shop, state="created,prepared") == [5, 4, 3, 2, 1]
    assert numbers(shop, state="shipped,cancelled,partially_shipped") == []
    # Who names an order asks for it.
    assert numbers(shop, order=3) == [3]
    assert numbers(shop, order=3, state="created") == []
    assert numbers(shop, key="later", state="prepared") == [3]
    assert numbers(shop, key="later") == []


def test_an_order_is_found_by_its_key_whatever_text_that_is(shop: Shop) -> None:
    assert numbers(shop, key=BRASS) == [4]
    assert numbers(shop, key="") == [5]
    assert numbers(shop, key=BRASS.upper()) == []


def test_orders_are_found_by_their_job_and_tell_it(shop: Shop) -> None:
    [found] = shop.orders("?order=4")

    assert (found["key"], found["batchKey"]) == (BRASS, BRASS)
    assert numbers(shop, job=found["jobId"]) == [5, 4]
    assert numbers(shop, job=found["jobId"].upper(), key="") == [5]
    assert numbers(shop, job="01a21d05-2e94-74c6-9b57-203550f13385") == []


def test_orders_are_found_by_purchase_order_exactly(shop: Shop) -> None:
    assert numbers(shop, poNumber="PO 7 é") == [2]
    assert numbers(shop, poNumber="po 7 é") == [5]
    assert numbers(shop, poNumber="PO 7") == []


@pytest.mark.parametrize("email", ["bo@bücher.example", "BO@BÜCHER.EXAMPLE", "bo@xn--bcher-kva.example"])
def test_orders_are_found_by_e_mail_however_the_registered_customers_mailbox_is_spelt(
    shop: Shop, email: str
) -> None:
    assert 2 in numbers(shop, email=email)


def test_orders_are_found_by_the_e_mail_that_they_were_made_for_whatever_its_case(shop: Shop) -> None:
    assert numbers(shop, email="EVA@Example.com") == [5, 1]
    assert numbers(shop, email="bo@bÜCHER.example", key=BRASS) == [4]
    assert numbers(shop, email="nobody@example.com") == []


def test_orders_that_were_made_or_changed_since_are_found_and_tell_when(shop: Shop) -> None:
    [newest] = shop.orders("?limit=1")
    assert newest["modifiedAt"] == newest["createdAt"]
    assert numbers(shop, modifiedAfter=newest["createdAt"]) == [5, 4]

    with transaction(shop.api.engine) as connection:
        mark_changed(connection, [1])

    assert numbers(shop, modifiedAfter=newest["createdAt"]) == [5, 4, 1]
    [changed] = shop.orders("?order=1")
    assert changed["modifiedAt"] > newest["createdAt"] > changed["createdAt"]
    assert numbers(shop, modifiedAfter="2999-01-01") == []


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("state=", "state", "is empty"),
        ("state=Created", "state", "'Created' is not one of prepared, created, "),
        ("state=created,", "state", "'' is not one of"),
        ("state=created&state=prepared", "state", "stands more than once"),
        ("key=" + "k" * 1_025, "key", "has 1025 characters; no key has more than 1024"),
        ("job=", "job", "is empty"),
        ("job=5", "job", "'5' is no job's id"),
        ("job=%7B01a21d05-2e94-74c6-9b57-203550f13385%7D", "job", "characters; 36 are the most"),
        ("poNumber=", "poNumber", "is empty"),
        ("poNumber=%00", "poNumber", "U+0000"),
        ("poNumber=" + "p" * 256, "poNumber", "has 256 characters"),
        ("email=", "email", "is empty"),
        ("email=eva", "email", "'eva' is not an e-mail address"),
        ("email=%00@example.com", "email", "U+0000"),
        ("modifiedAfter=then", "modifiedAfter", "'then' is not a date"),
        ("modifiedAfter=", "modifiedAfter", "'' is not a date"),
        ("cursor=", "cursor", "is empty"),
        ("cursor=x", "cursor", "'x' is none of ours; take it from next or previous"),
        ("cursor=YTE%3D", "cursor", "is none of ours"),
        ("cursor=YTk5OTk5OTk5OTk5OTk5OTk5OTk5LjE%3D", "cursor", "is none of ours"),
        ("cursor=%F0%9F%9B%8B", "cursor", "is none of ours"),
        ("cursor=" + "A" * 121, "cursor", "has 121 characters"),
        ("cursor=YTEuMQ%3D%3D&offset=1", "offset", "leave one of the two out"),
    ],
)
def test_a_bad_value_of_a_filter_is_refused_by_its_name_and_itself(
    shop: Shop, query: str, name: str, value: str
) -> None:
    response = shop.api.get(f"/v1/orders?{query}")

    assert response.status_code == 400, response.data
    assert told(response)["msg"].startswith(f"{name}: ")
    assert value in told(response)["msg"]
    assert told(response)["errors"][0]["pointer"] == f"/{name}"


def test_the_greatest_place_that_a_cursor_can_name_is_an_empty_page_and_the_way_back(shop: Shop) -> None:
    beyond = "YjE2MDAwMDAwMDAwMDAwMDAwLjE="

    page = told(shop.api.get(f"/v1/orders?cursor={beyond}"))

    assert (page["orders"], page["previous"]) == ([], None)
    assert [one["orderId"] for one in told(shop.api.get(page["next"]))["orders"]] == [5, 4, 2, 1]


def pages(shop: Shop, query: str) -> Iterator[list[int]]:
    """The numbers of each page, following next."""
    path: str | None = f"/v1/orders?{query}"
    while path is not None:
        page = told(shop.api.get(path))
        yield [one["orderId"] for one in page["orders"]]
        path = page["next"]


def test_next_shows_each_of_900_orders_of_one_moment_once_while_others_come_in(own_shop: Shop) -> None:
    own_shop.place({"first": order()})
    with transaction(own_shop.api.engine) as connection:
        write_copies(connection, range(1_000, 1_900))

    seen: list[int] = []
    for turn, page in enumerate(pages(own_shop, "limit=77")):
        seen += page
        with transaction(own_shop.api.engine) as connection:
            write_copies(connection, [5_000 + turn])
            # Newer ones, and some of the very moment.
            connection.execute(
                text("UPDATE orders SET created_at = created_at + :turn * interval '1 s' WHERE number = :n"),
                {"turn": turn % 2, "n": 5_000 + turn},
            )

    assert seen[:900] == list(range(1_899, 999, -1))
    assert seen[900:] == [1]


@pytest.fixture
def own_shop(settings: Settings) -> Iterator[Shop]:
    with open_shop(settings) as opened:
        yield opened


MADE = datetime(2026, 1, 1, tzinfo=UTC)
LISTED = OrderFilter(limit=100, states=LISTED_STATES)


@pytest.fixture(scope="module")
def many_orders(module_engine: Engine) -> Iterator[Connection]:
    """Orders of a year, one of a hundred of which was changed, and nobody else's connection."""
    with module_engine.connect() as connection:
        connection.execute(text("DELETE FROM order_changes"))
        connection.execute(
            text("""
                INSERT INTO customers (id, email) SELECT n, 'c' || n || '@example.com'
                FROM generate_series(10000, 29999) AS n
            """)
        )
        connection.execute(_MANY)
        connection.execute(text("ANALYZE orders, customers"))
        yield connection
        connection.rollback()


_MANY = text("""
    INSERT INTO orders (number, state, job_id, position, batch_key, api_key_id, part, first_number,
        customer_id, market_id, pricelist_id, currency, allocation_rule_id, invoice_address,
        delivery_address, lines_total, shipping_value, voucher_value, grand_total, adjust_stock,
        force_create, internal_order, po_number, order_date, created_at, modified_at)
    SELECT n, CASE WHEN n % 300 = 0 THEN 'prepared' ELSE 'created' END, gen_random_uuid(), 0, to_json(n), 1,
        0, n, n, 1, 1, 'EUR', 1, '{}', '{}', 0, 0, 0, 0, true, false, false,
        CASE WHEN n % 50 = 0 THEN 'PO' || n END, now(),
        timestamptz '2025-12-01 00:00Z' + n * interval '10 min',
        CASE WHEN n % 100 = 0 THEN timestamptz '2025-12-02 00:00Z' + n * interval '10 min' END
    FROM generate_series(10000, 29999) AS n
""")


@pytest.mark.parametrize(
    "wanted",
    [
        LISTED,
        OrderFilter(limit=100, states=("prepared",)),
        OrderFilter(limit=100, states=ORDER_STATES, edge=OrderEdge(MADE, 20_000)),
        OrderFilter(limit=100, states=ORDER_STATES, edge=OrderEdge(MADE, 20_000, backwards=True)),
        OrderFilter(limit=100, number=15_000),
        replace(LISTED, customer_id=15_000),
        replace(LISTED, job_id=UUID(int=5)),
        replace(LISTED, batch_key="15000"),
        replace(LISTED, po_number="PO15000"),
        replace(LISTED, email="c15000@example.com"),
        replace(LISTED, created_from=MADE, created_before=MADE + timedelta(days=1)),
        replace(LISTED, modified_from=MADE + timedelta(days=170)),
    ],
    ids=str,
)
def test_every_filter_reads_an_index_and_not_all_orders(many_orders: Connection, wanted: OrderFilter) -> None:
    statement = select(numbers_of_page(wanted)).compile(many_orders, compile_kwargs={"literal_binds": True})

    plan = many_orders.exec_driver_sql(f"EXPLAIN {statement}").scalars().all()

    assert not [row for row in plan if "Seq Scan on orders" in row or "Seq Scan on customers" in row], plan
