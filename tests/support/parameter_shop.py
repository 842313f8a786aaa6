"""The shop that tries the parameters of contract §6: every list of contract §7, in Stockholm's zone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any

from tests.support.placed_orders import Shop, open_shop, told
from tests.support.settling import settle_slice
from worker.context import open_worker_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from shared.settings import Settings

CATALOG: dict[str, Any] = {
    "warehouses": [{"id": 1, "name": "Main"}, {"id": 2, "name": "Shop"}],
    "allocationRules": [
        {"name": "Default", "warehouses": ["Main", "Shop"]},
        {"name": "Apart", "warehouses": ["Main", "Shop"], "split": "warehouse"},
        {"name": "Later", "warehouses": ["Main", "Shop"], "split": "availability"},
        {"name": "Shop alone", "warehouses": ["Shop"]},
    ],
    "pricelists": [
        {"id": 1, "name": "EUR", "currency": "EUR"},
        {"id": 2, "name": "USD", "currency": "USD"},
        {"id": 3, "name": "SEK", "currency": "SEK"},
    ],
    "shippingOptions": [
        {
            "uri": "standard",
            "name": "Standard",
            "countries": ["SE", "DE"],
            "default": True,
            "price": {"EUR": "4.90", "SEK": "49"},
        },
        {"uri": "express", "name": "Express", "countries": ["SE"], "price": {"EUR": "19"}},
        {"uri": "ground", "name": "Ground", "countries": ["US"], "default": True, "price": {"USD": "7.50"}},
    ],
    "markets": [
        {
            "id": 1,
            "name": "Europe",
            "countries": ["SE", "DE"],
            "pricelist": "EUR",
            "allocationRule": "Default",
        },
        {"id": 2, "name": "America", "countries": ["US"], "pricelist": "USD", "allocationRule": "Apart"},
    ],
    "items": [
        {
            "id": 10,
            "sku": "BRASS-LAMP",
            "ean": "7301",
            "product": "Lamp",
            "variant": "Brass",
            "size": "One size",
            "brand": "Kronan",
            "prices": {"EUR": "50.22", "USD": "60", "SEK": "500"},
            "stock": {"Main": 100000},
        },
        {
            "id": 30,
            "sku": "UPC-CLOCK",
            "ean": "0711719814153",
            "prices": {"EUR": 7},
            "stock": {"Main": 100000},
        },
        {
            "id": 11,
            "sku": "RED-STOOL",
            "ean": "7302",
            "product": "Stool",
            "prices": {"EUR": "20", "USD": "25"},
            "stock": {"Main": 2, "Shop": 3},
        },
        {"id": 12, "sku": "SOLD-OUT-VASE", "prices": {"EUR": "30"}, "stock": {"Main": 0}},
        {"id": 13, "sku": "OLD-CLOCK", "active": False, "prices": {"EUR": "1"}, "stock": {"Main": 9}},
        {
            "id": 14,
            "sku": "SNOW-GLOBE",
            "markets": ["America"],
            "prices": {"EUR": "5", "USD": "5"},
            "stock": {"Main": 9},
        },
        {"id": 15, "sku": "GLASS-OWL", "stock": {"Main": 9}},
        {
            "id": 16,
            "sku": "KRONAN-BIKE-BLUE-M",
            "ean": "ABCDEFGHIJKL",
            "product": "Bike",
            "variant": "Blue",
            "size": "M",
            "brand": "Kronan",
            "prices": {"EUR": "100.11", "USD": "110"},
            "stock": {"Main": 1000},
        },
        {
            "id": 17,
            "sku": "SKUASKUBSKUC",
            "product": "Bike",
            "variant": "Red",
            "size": "S",
            "brand": "Kronan",
            "prices": {"EUR": "50.22", "USD": "55"},
            "stock": {"Main": 1000},
        },
        {"id": 18, "sku": "TIN-KETTLE", "prices": {"EUR": "9.99"}, "stock": {"Main": 10, "Shop": 10}},
    ],
    "campaigns": [
        {"name": "Spring", "pricelist": "EUR", "percent": "10", "skus": ["RED-STOOL"]},
        {
            "name": "Long ago",
            "pricelist": "EUR",
            "percent": "50",
            "skus": ["RED-STOOL", "BRASS-LAMP"],
            "from": "2020-01-01",
            "to": "2020-01-31",
        },
    ],
    "vouchers": [
        {"code": "TEN", "name": "Ten percent", "percent": "10"},
        {"code": "GIFT", "amount": {"EUR": "5.00"}},
        {"code": "ONCE", "amount": {"EUR": "1.00"}, "uses": 1},
        {"code": "SPENT", "amount": {"EUR": "1.00"}, "uses": 0},
        {"code": "FROM-500", "minimum": {"EUR": "500"}, "percent": "50"},
        {
            "name": "Over 1000",
            "automatic": True,
            "minimum": {"EUR": "1000"},
            "amount": {"EUR": "25"},
        },
    ],
    "accounts": [
        {
            "id": 7,
            "name": "Shop AB",
            "address": {
                "country": "SE",
                "email": "eva@shop.example.com",
                "firstName": "Eva",
                "city": "Åre",
            },
            "buyers": [{"id": 1, "name": "Eva", "default": True}, {"id": 2, "name": "Adam"}],
        },
        {"id": 8, "name": "Bare AB"},
        {"id": 9, "name": "Silent AB", "address": {"country": "SE"}, "buyers": [{"id": 5, "name": "Bo"}]},
    ],
    "deliveryWindows": [{"name": "AW27", "preorder": True}, {"name": "Now"}],
}


@contextmanager
def open_parameter_shop(settings: Settings) -> Iterator[Shop]:
    """Open this shop on these servers."""
    with open_shop(replace(settings, organisation_timezone="Europe/Stockholm"), CATALOG) as shop:
        yield shop


def numbers_of(outcome: dict[str, Any]) -> list[int]:
    """The numbers that an outcome tells, which must be ok."""
    assert outcome["status"] == "ok", outcome
    return list(outcome["orders"]) if "orders" in outcome else [outcome["order"]]


def read_only(shop: Shop, outcome: dict[str, Any]) -> dict[str, Any]:
    """The one order of an outcome, read back."""
    [number] = numbers_of(outcome)
    [found] = shop.orders(f"?order={number}")
    return found


def placed(shop: Shop, sent: dict[str, Any]) -> dict[str, Any]:
    """Place one order that becomes one, and read it back."""
    return read_only(shop, shop.place({"a": sent})["a"])


def read_parts(shop: Shop, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts that an outcome tells, in its order, read back."""
    return [shop.orders(f"?order={number}")[0] for number in numbers_of(outcome)]


def stock_of(shop: Shop, sku: str) -> dict[str, tuple[int, int]]:
    """What is in stock, by warehouse: physical and allocated."""
    found = shop.api.rows(
        "SELECT warehouses.name, physical, allocated FROM stock JOIN items ON items.id = item_id"
        " JOIN warehouses ON warehouses.id = warehouse_id WHERE sku = :sku",
        sku=sku,
    )
    return {row.name: (row.physical, row.allocated) for row in found}


def accepted(response: TestResponse) -> str:
    """The path of the job that a response tells of."""
    assert response.status_code in {200, 202}, response.data
    return str(response.headers["Location"])


def settle_at_once(shop: Shop, job_paths: list[str]) -> list[dict[str, Any]]:
    """Settle these jobs' slices at the same moment, each by a worker of its own; give the jobs' outcomes."""
    slices = [one[0] for path in job_paths for one in shop.api.open_slices(path.rpartition("/")[2])]
    start = Barrier(len(slices))

    def settle(slice_id: int) -> None:
        context = open_worker_context(shop.context.settings)
        try:
            start.wait()
            settle_slice(context, slice_id)
        finally:
            context.engine.dispose()

    with ThreadPoolExecutor(len(slices)) as pool:
        list(pool.map(settle, slices))
    return [told(shop.api.get(f"{path}/results")) for path in job_paths]


@contextmanager
def working(shop: Shop) -> Iterator[None]:
    """Settle every slice that turns up within the block, as a worker does."""
    over = Event()

    def work() -> None:
        while not over.wait(0.02):
            for slice_id, _, _ in shop.api.open_slices():
                settle_slice(shop.context, slice_id)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
