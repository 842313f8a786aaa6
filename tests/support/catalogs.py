"""The catalogs of the tests: one builder, and what is made with it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

_COMMON: Final[dict[str, Any]] = {
    "warehouses": [{"name": "Main"}, {"name": "Shop"}],
    "allocationRules": [
        {"name": "Default", "warehouses": ["Main", "Shop"]},
        {"name": "Apart", "warehouses": ["Main", "Shop"], "split": "warehouse"},
        {"name": "Later", "warehouses": ["Main", "Shop"], "split": "availability"},
    ],
    "pricelists": [{"name": "EUR", "currency": "EUR"}, {"name": "USD", "currency": "USD"}],
    "shippingOptions": [
        {
            "uri": "standard",
            "name": "Standard",
            "countries": ["SE"],
            "default": True,
            "price": {"EUR": "4.90"},
        }
    ],
    "markets": [
        {"name": "Europe", "countries": ["SE", "DE"], "pricelist": "EUR", "allocationRule": "Default"},
        {"name": "America", "countries": ["US"], "pricelist": "USD", "allocationRule": "Default"},
    ],
    "accounts": [
        {
            "name": "Shop AB",
            "address": {"country": "SE", "email": "eva@example.com", "city": "Åre"},
            "buyers": [{"name": "Eva", "default": True}],
        }
    ],
    "deliveryWindows": [{"name": "AW27", "preorder": True}],
}


def catalog(**lists: Any) -> dict[str, Any]:
    """A catalog file as values: two warehouses, two markets, one account; ``lists`` in place of theirs."""
    return deepcopy({**_COMMON, **lists})


def item(sku: str, *, eur: str | None = None, **members: Any) -> dict[str, Any]:
    """An item; ``eur`` is its price in EUR if that is the only one."""
    return {"sku": sku, **({} if eur is None else {"prices": {"EUR": eur}}), **members}


SMALL_CATALOG: Final = catalog(
    items=[
        item(
            "BRASS-LAMP",
            ean="7301",
            upc="0401",
            product="Lamp",
            variant="Brass",
            size="One size",
            brand="Kronan",
            prices={"EUR": "50.22", "USD": "60.00"},
            stock={"Main": 100, "Shop": 5},
        ),
        item(
            "RED-STOOL",
            ean="7302",
            product="Stool",
            markets=["Europe"],
            prices={"EUR": "20", "USD": "25"},
            stock={"Main": 2, "Shop": 3},
        ),
        item("OAK-TABLE", ean="7303", product="Table", prices={"EUR": "400", "USD": "500"}),
    ],
    vouchers=[{"code": "TEN", "name": "Ten off", "percent": "10"}],
)
"""What the API is tried with."""

FILE_CATALOG: Final = catalog(
    warehouses=[{"name": "Main"}, {"name": "Shop", "threshold": 2}],
    allocationRules=[{"name": "Default", "warehouses": ["Main", "Shop"], "split": "warehouse"}],
    shippingOptions=[
        {
            "uri": "standard",
            "name": "Standard",
            "countries": ["SE", "DE"],
            "default": True,
            "price": {"EUR": 4.9},
        }
    ],
    items=[
        item(
            "BRASS-LAMP",
            ean="7301",
            product="Lamp",
            markets=["America", "Europe"],
            prices={"EUR": "50.22", "USD": "60.00"},
            stock={"Main": 100, "Shop": 5},
        ),
        item("RED-STOOL", ean="7302", prices={"EUR": 20}, stock={"Main": 3}),
    ],
    campaigns=[
        {"name": "Spring", "pricelist": "EUR", "percent": "10", "skus": ["RED-STOOL"], "to": "2027-05-31"}
    ],
    vouchers=[
        {"code": "TEN", "percent": "10"},
        {"code": "GIFT", "amount": {"EUR": "5.00"}, "uses": 3},
        {"name": "Over 100", "automatic": True, "minimum": {"EUR": "100"}, "amount": {"EUR": "10"}},
    ],
    accounts=[
        {
            "name": "Shop AB",
            "address": {"country": "SE", "email": "eva@example.com", "city": "Åre"},
            "buyers": [{"name": "Eva", "default": True}, {"name": "Adam"}],
        }
    ],
)
"""What loading is tried with: something in each of its lists."""

MAIL_CATALOG: Final = catalog(
    pricelists=[{"name": "EUR", "currency": "EUR"}],
    markets=[{"name": "Europe", "countries": ["SE"], "pricelist": "EUR", "allocationRule": "Default"}],
    items=[
        item(
            "BRASS-LAMP",
            product="Lamp",
            variant="Brass",
            size="M",
            brand="Kronan",
            eur="50.22",
            stock={"Main": 100, "Shop": 50},
        ),
        item("RED-STOOL", product="Stool", eur="20", stock={"Main": 2, "Shop": 3}),
    ],
)
"""What confirmations are sent of."""

WORKER_CATALOG: Final = catalog(
    warehouses=[
        {"id": 1, "name": "Main"},
        {"id": 2, "name": "Shop"},
        {"id": 3, "name": "Reserve", "threshold": 5},
    ],
    allocationRules=[
        {"name": "Default", "warehouses": ["Main", "Shop"]},
        {"name": "By warehouse", "warehouses": ["Main", "Shop"], "split": "warehouse"},
        {"name": "By availability", "warehouses": ["Main", "Shop"], "split": "availability"},
        {"name": "Reserve", "warehouses": ["Reserve"]},
    ],
    pricelists=[{"id": 1, "name": "EUR", "currency": "EUR"}],
    shippingOptions=[],
    markets=[
        {"name": "Europe", "countries": ["SE", "DE", "US"], "pricelist": "EUR", "allocationRule": "Default"},
        {"name": "Elsewhere", "countries": ["JP"], "pricelist": "EUR", "allocationRule": "Default"},
    ],
    items=[
        item("BRASS-LAMP", id=1, ean="7310000000017", eur="10.00"),
        item("RED-STOOL", id=2, ean="7310000000024", eur="2.50"),
        item("TIN-KETTLE", id=3, eur="8.00"),
        item("POISON-CUP", id=4, eur="1.00"),
    ],
    vouchers=[
        {"code": "GIFT", "amount": {"EUR": "5.00"}, "uses": 1},
        {"code": "TEN", "percent": "10", "uses": 1_000_000},
    ],
    accounts=[],
    deliveryWindows=[],
)
"""What workers settle: nothing lies anywhere until a test puts it there."""

PARAMETER_CATALOG: Final = catalog(
    warehouses=[{"id": 1, "name": "Main"}, {"id": 2, "name": "Shop"}],
    allocationRules=[
        *_COMMON["allocationRules"],
        {"name": "Shop alone", "warehouses": ["Shop"]},
    ],
    pricelists=[
        {"id": 1, "name": "EUR", "currency": "EUR"},
        {"id": 2, "name": "USD", "currency": "USD"},
        {"id": 3, "name": "SEK", "currency": "SEK"},
    ],
    shippingOptions=[
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
    markets=[
        {
            "id": 1,
            "name": "Europe",
            "countries": ["SE", "DE"],
            "pricelist": "EUR",
            "allocationRule": "Default",
        },
        {"id": 2, "name": "America", "countries": ["US"], "pricelist": "USD", "allocationRule": "Apart"},
    ],
    items=[
        item(
            "BRASS-LAMP",
            id=10,
            ean="7301",
            product="Lamp",
            variant="Brass",
            size="One size",
            brand="Kronan",
            prices={"EUR": "50.22", "USD": "60", "SEK": "500"},
            stock={"Main": 100_000},
        ),
        item("UPC-CLOCK", id=30, ean="0711719814153", prices={"EUR": 7}, stock={"Main": 100_000}),
        item(
            "RED-STOOL",
            id=11,
            ean="7302",
            product="Stool",
            prices={"EUR": "20", "USD": "25"},
            stock={"Main": 2, "Shop": 3},
        ),
        item("SOLD-OUT-VASE", id=12, eur="30", stock={"Main": 0}),
        item("OLD-CLOCK", id=13, active=False, eur="1", stock={"Main": 9}),
        item("SNOW-GLOBE", id=14, markets=["America"], prices={"EUR": "5", "USD": "5"}, stock={"Main": 9}),
        item("GLASS-OWL", id=15, stock={"Main": 9}),
        item(
            "KRONAN-BIKE-BLUE-M",
            id=16,
            ean="ABCDEFGHIJKL",
            product="Bike",
            variant="Blue",
            size="M",
            brand="Kronan",
            prices={"EUR": "100.11", "USD": "110"},
            stock={"Main": 1000},
        ),
        item(
            "SKUASKUBSKUC",
            id=17,
            product="Bike",
            variant="Red",
            size="S",
            brand="Kronan",
            prices={"EUR": "50.22", "USD": "55"},
            stock={"Main": 1000},
        ),
        item("TIN-KETTLE", id=18, eur="9.99", stock={"Main": 10, "Shop": 10}),
    ],
    campaigns=[
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
    vouchers=[
        {"code": "TEN", "name": "Ten percent", "percent": "10"},
        {"code": "GIFT", "amount": {"EUR": "5.00"}},
        {"code": "ONCE", "amount": {"EUR": "1.00"}, "uses": 1},
        {"code": "SPENT", "amount": {"EUR": "1.00"}, "uses": 0},
        {"code": "FROM-500", "minimum": {"EUR": "500"}, "percent": "50"},
        {"name": "Over 1000", "automatic": True, "minimum": {"EUR": "1000"}, "amount": {"EUR": "25"}},
    ],
    accounts=[
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
    deliveryWindows=[{"name": "AW27", "preorder": True}, {"name": "Now"}],
)
"""What the parameters of contract §6 are tried with: every list of contract §7, ids included."""
