"""Loading catalogs in tests: from plain values, into the database of the test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from shared.persistence.catalog.export import exported_lists
from shared.persistence.catalog.load import load_catalog
from shared.persistence.core.database import transaction
from shared.schemas.catalog import catalog_text, read_catalog

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from shared.domain.catalog_file import LoadSummary

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)

SHOP: dict[str, Any] = {
    "warehouses": [{"name": "Main"}, {"name": "Shop", "threshold": 2}],
    "allocationRules": [{"name": "Default", "warehouses": ["Main", "Shop"], "split": "warehouse"}],
    "pricelists": [{"name": "EUR", "currency": "EUR"}, {"name": "USD", "currency": "USD"}],
    "shippingOptions": [
        {
            "uri": "standard",
            "name": "Standard",
            "countries": ["SE", "DE"],
            "default": True,
            "price": {"EUR": 4.9},
        }
    ],
    "markets": [
        {"name": "Europe", "countries": ["SE", "DE"], "pricelist": "EUR", "allocationRule": "Default"},
        {"name": "America", "countries": ["US"], "pricelist": "USD", "allocationRule": "Default"},
    ],
    "items": [
        {
            "sku": "BRASS-LAMP",
            "ean": "7301",
            "product": "Lamp",
            "markets": ["America", "Europe"],
            "prices": {"EUR": "50.22", "USD": "60.00"},
            "stock": {"Main": 100, "Shop": 5},
        },
        {"sku": "RED-STOOL", "ean": "7302", "prices": {"EUR": 20}, "stock": {"Main": 3}},
    ],
    "campaigns": [
        {"name": "Spring", "pricelist": "EUR", "percent": "10", "skus": ["RED-STOOL"], "to": "2027-05-31"}
    ],
    "vouchers": [
        {"code": "TEN", "percent": "10"},
        {"code": "GIFT", "amount": {"EUR": "5.00"}, "uses": 3},
        {"name": "Over 100", "automatic": True, "minimum": {"EUR": "100"}, "amount": {"EUR": "10"}},
    ],
    "accounts": [
        {
            "name": "Shop AB",
            "address": {"country": "SE", "email": "eva@example.com", "city": "Åre"},
            "buyers": [{"name": "Eva", "default": True}, {"name": "Adam"}],
        }
    ],
    "deliveryWindows": [{"name": "AW27", "preorder": True}],
}

CATALOG_TABLES = (
    *(
        "warehouses",
        "allocation_rules",
        "pricelists",
        "shipping_options",
        "markets",
        "items",
        "prices",
        "stock",
    ),
    *("campaigns", "vouchers", "accounts", "buyers", "delivery_windows", "catalog_state"),
)


def quietly(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def load(engine: Engine, catalog: dict[str, Any] | bytes) -> LoadSummary:
    """Load a catalog given as values or as the bytes of a file."""
    raw = catalog if isinstance(catalog, bytes) else json.dumps(catalog).encode()
    return load_catalog(engine, read_catalog(raw, ZoneInfo("UTC"), quietly), quietly)


def exported(engine: Engine) -> bytes:
    """The bytes of an exported catalog."""
    with exported_lists(engine) as lists:
        return b"".join(catalog_text(lists))


def rows(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def execute(engine: Engine, statement: str, **values: Any) -> None:
    """Change something behind the catalog's back."""
    with transaction(engine) as connection:
        connection.execute(text(statement), values)


def row_versions(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Where each row of the catalog lies, and which transaction put it there."""
    return {
        table: rows(engine, f"SELECT ctid::text, xmin::text FROM {table} ORDER BY ctid")  # noqa: S608 - a table of ours
        for table in CATALOG_TABLES
    }
