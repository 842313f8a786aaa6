"""GET /v1/orders/changes: read on from a cursor, waited for cheaply, refused where it is no place."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from sqlalchemy import text

from api.context import app_context_of
from shared.domain.order_changes import ChangeCursor, ChangePlace
from shared.persistence.core.database import transaction
from shared.schemas.lists.changes import changes_cursor_text
from tests.support.orders import ADDRESS, line, order
from tests.support.placed_orders import Shop, told
from tests.support.until import until
from tests.support.written_orders import write_copies

if TYPE_CHECKING:
    from tests.support.api import ApiClient

_PATH = "/v1/orders/changes"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Order 1 is there."""
    shop.place({"first": order()})
    return shop


def ask(shop: Shop, key: str = "", api: ApiClient | None = None, **query: Any) -> dict[str, Any]:
    response = (api or shop.api).get(f"{_PATH}?{urlencode(query)}", key)
    assert response.status_code == 200, response.data
    return told(response)


def numbers(page: dict[str, Any]) -> list[int]:
    return [one["orderId"] for one in page["orders"]]


def read_on(shop: Shop, most: int, after: str = "", **query: Any) -> tuple[list[int], str]:
    """Read until so many were told, for others on the server may hide them a while; and the cursor then."""
    found: list[int] = []
    cursor = after

    def has_found() -> bool:
        nonlocal cursor
        asked: dict[str, Any] = {**query, "after": cursor} if cursor else query
        page = ask(shop, **asked)
        found.extend(numbers(page))
        cursor = page["cursor"]
        return len(found) >= most

    until(has_found, f"{most} changes are told")
    return found, cursor


def write(shop: Shop, *written: int) -> None:
    with transaction(shop.api.engine) as connection:
        write_copies(connection, written)


def test_a_reader_goes_on_from_its_cursor_and_sees_orders_as_they_are_now(shop: Shop) -> None:
    shop.place({"later": order(createOnly=True)})
    found, cursor = read_on(shop, 2)
    shop.complete(2, comment="wrap it")
    changed, after = read_on(shop, 1, cursor)
    [whole] = told(shop.api.get(f"{_PATH}?after={quote(cursor)}"))["orders"]

    assert (found, changed) == ([1, 2], [2])
    assert whole == shop.orders("?order=2")[0]
    assert (whole["state"], whole["comment"]) == ("created", "wrap it")
    # Nothing more: the same place.
    assert ask(shop, after=after) == {"status": "ok", "orders": [], "cursor": after, "more": False}


def test_what_ships_is_cancelled_and_gets_what_it_waited_for_is_told_in_its_last_state(shop: Shop) -> None:
    shop.place({"waits": order(line("OAK-TABLE"), forceCreate=True), "goes": order()})
    _, cursor = read_on(shop, 3)
    waits, goes = (shop.numbers(f"?key={key}")[0] for key in ("waits", "goes"))

    step(shop, f"/v1/order/{goes}/cancel", {})
    step(shop, "/v1/order/1/shipments", {})
    product = {"product": "OAK-TABLE", "quantity": 1, "warehouse": "Main"}
    assert shop.api.client.post(
        "/v1/stock",
        data=orjson.dumps({"products": [product]}),
        headers={"API-Authorization": shop.key_for_markets("Stock", 1), "Content-Type": "application/json"},
    ).json == {"status": "ok", "updated": 1, "unchanged": 0}
    told_numbers, _ = read_on(shop, 3, cursor)
    states = {one["orderId"]: one["state"] for one in ask(shop)["orders"]}

    assert told_numbers == [goes, 1, waits]
    assert states == {goes: "cancelled", 1: "shipped", waits: "created"}
    assert shop.numbers() == [waits, 1]
    assert shop.numbers("?state=cancelled") == [goes]


def step(shop: Shop, path: str, body: dict[str, Any]) -> None:
    headers = {
        "API-Authorization": shop.api.key,
        "Content-Type": "application/json",
        "Prefer": "respond-async",
    }
    sent = shop.api.client.post(path, data=orjson.dumps(body), headers=headers)
    assert shop.settled(sent.headers["Location"])["status"] == "ok"


def test_a_page_says_whether_there_is_more_and_a_limit_of_any_size_misses_nothing(shop: Shop) -> None:
    write(shop, *range(10, 30))
    read_on(shop, 21)

    first = ask(shop, limit=8)
    rest, _ = read_on(shop, 13, first["cursor"], limit=8)

    assert first["more"]
    assert numbers(first) + rest == [1, *range(10, 30)]


def test_a_page_has_no_more_than_its_limits_of_lines_and_bytes(shop: Shop) -> None:
    shop.place({f"k{n}": order(*[line("OAK-TABLE")] * 10, adjustStock=False) for n in range(4)})
    read_on(shop, 5)

    by_lines = ask(shop, api=shop.api.with_settings(orders_page_max_lines=25))
    by_bytes = ask(shop, api=shop.api.with_settings(orders_page_max_bytes=1_024))

    assert (numbers(by_lines), by_lines["more"]) == ([1, 2, 3], True)
    assert (numbers(by_bytes), by_bytes["more"]) == ([1], True)


def test_a_key_limited_to_markets_is_told_of_their_orders_alone(shop: Shop) -> None:
    american = {**ADDRESS, "country": "US", "state": "CA"}
    shop.place({"us": order(address=american)})
    read_on(shop, 2)

    assert numbers(ask(shop, shop.key_for_markets("American", 2))) == [2]
    assert numbers(ask(shop, shop.key_for_markets("Nobody"))) == []


def test_a_key_that_may_not_read_orders_is_403(shop: Shop) -> None:
    writer = shop.api.new_key("Writer", "orders:write", "stock:read")

    assert shop.api.get(_PATH, writer).status_code == 403


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("after=", "after", "is empty"),
        ("after=x", "after", "'x' is none of ours; take it from the last answer's cursor, or write now"),
        ("after=NOW", "after", "'NOW' is none of ours"),
        ("after=MS4yLjM%3D", "after", "is none of ours"),
        ("after=MS4yLjMuLTQ%3D", "after", "is none of ours"),
        ("after=%00", "after", "U+0000"),
        ("after=" + "A" * 121, "after", "has 121 characters"),
        ("after=now&after=now", "after", "stands more than once"),
        ("limit=0", "limit", "'0' is not in 1..1000"),
        ("limit=1001", "limit", "'1001' is not in 1..1000"),
        ("limit=all", "limit", "'all' is not a whole number"),
        ("wait=-1", "wait", "'-1' is not in 0..86400"),
        ("wait=1.5", "wait", "'1.5' is not a whole number"),
        ("wait=", "wait", "'' is not a whole number"),
        ("wait=86401", "wait", "'86401' is not in 0..86400"),
        ("cursor=now", "cursor", "is no parameter of GET /v1/orders/changes; it knows after, limit, wait"),
    ],
)
def test_a_bad_value_is_refused_by_its_name_and_itself(shop: Shop, query: str, name: str, value: str) -> None:
    response = shop.api.get(f"{_PATH}?{query}")

    assert response.status_code == 400, response.data
    assert told(response)["msg"].startswith(f"{name}: ")
    assert value in told(response)["msg"]
    assert told(response)["errors"][0]["pointer"] == f"/{name}"


def test_a_place_in_another_feed_and_one_that_is_yet_to_come_are_told_apart(shop: Shop) -> None:
    _, cursor = read_on(shop, 1)
    other = changes_cursor_text(ChangeCursor(2, ChangePlace()))
    beyond = changes_cursor_text(ChangeCursor(1, ChangePlace(10**17)))

    assert ask(shop, after=cursor)["orders"] == []
    for wrong, reason in ((other, "feed_began_anew"), (beyond, "not_cursor")):
        refused = shop.api.get(f"{_PATH}?after={quote(wrong)}")
        assert (refused.status_code, told(refused)["errors"][0]["reason"]) == (400, reason)


def test_a_feed_that_is_about_to_begin_anew_is_503_and_comes_back(shop: Shop) -> None:
    with transaction(shop.api.engine) as connection:
        connection.execute(text("UPDATE change_feed SET server = ''"))

    refused = shop.api.get(_PATH)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")


class Waiting:
    """Somebody who waits for a change, in a thread."""

    def __init__(self, shop: Shop, key: str = "", **query: Any) -> None:
        self.pages: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=lambda: self.pages.append(ask(shop, key, **query)))
        self._thread.start()

    def page(self) -> dict[str, Any]:
        """The answer, when it is there."""
        self._thread.join(60)
        return self.pages[0]


def waiting_count(shop: Shop) -> int:
    return app_context_of(shop.api.apps[-1]).change_watch.waiting_count()


def test_a_wait_ends_with_the_change_that_it_waits_for(shop: Shop) -> None:
    _, cursor = read_on(shop, 1)

    waiting = Waiting(shop, after=cursor, wait=50)
    until(lambda: waiting_count(shop) == 1, "it is waited")
    write(shop, 7)

    assert numbers(waiting.page()) == [7]
    until(lambda: waiting_count(shop) == 0, "nobody waits")


def test_a_wait_for_nothing_ends_with_an_empty_page_and_is_no_longer_than_it_may_be(shop: Shop) -> None:
    _, cursor = read_on(shop, 1)
    hasty = shop.api.with_settings(max_wait_seconds=1)

    page = ask(shop, api=hasty, after=cursor, wait=86_400)

    assert page == {"status": "ok", "orders": [], "cursor": cursor, "more": False}


def test_what_its_key_does_not_see_ends_no_wait(shop: Shop) -> None:
    _, cursor = read_on(shop, 1)
    american = shop.key_for_markets("American", 2)

    waiting = Waiting(shop, american, after=cursor, wait=50)
    until(lambda: waiting_count(shop) == 1, "it is waited")
    write(shop, 7)
    read_on(shop, 1, cursor)
    shop.place({"us": order(address={**ADDRESS, "country": "US", "state": "CA"})})

    assert numbers(waiting.page()) == [2]


@pytest.fixture
def crowded(shop: Shop) -> Shop:
    """A process that has room for one who waits."""
    return Shop(shop.api.with_settings(followers_max=1, followers_max_per_key=1), shop.context)


def test_a_wait_that_there_is_no_room_for_is_none(crowded: Shop) -> None:
    _, cursor = read_on(crowded, 1)
    waiting = Waiting(crowded, after=cursor, wait=50)
    until(lambda: waiting_count(crowded) == 1, "it is waited")

    assert ask(crowded, after=cursor, wait=50)["orders"] == []

    write(crowded, 7)
    assert numbers(waiting.page()) == [7]


def test_who_waits_keeps_no_connection_and_no_large_read_from_others(shop: Shop) -> None:
    few = Shop(shop.api.with_settings(database_pool_size=2), shop.context)
    _, cursor = read_on(few, 1)
    waiting = [Waiting(few, after=cursor, wait=50) for _ in range(6)]
    until(lambda: waiting_count(few) == 6, "all wait")

    assert few.numbers("?limit=1") == [1]

    write(few, 7)
    assert [numbers(one.page()) for one in waiting] == [[7]] * 6
