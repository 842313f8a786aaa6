"""The small tables where deciding finds them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.catalog import Campaign, ShippingOption, index_catalog
from shared.domain.currencies import unit
from shared.domain.vouchers import percent_of
from tests.support.domain_shop import EUR, EUROPE, NOON, TABLES


def test_the_market_of_a_country_is_the_one_with_the_lowest_id() -> None:
    catalog = index_catalog(1, TABLES)

    assert catalog.country_markets["SE"] is EUROPE
    assert catalog.country_markets["US"].name == "America"
    assert "JP" not in catalog.country_markets


def test_the_default_shipping_of_a_country_is_the_first_by_uri() -> None:
    def option(uri: str, *, default: bool = True) -> ShippingOption:
        return ShippingOption(uri, uri, frozenset({"SE"}), default, {})

    catalog = index_catalog(
        1, replace(TABLES, shipping=[option("z"), option("b"), option("a", default=False)])
    )

    assert catalog.country_shipping["SE"].uri == "b"
    assert set(catalog.shipping) == {"a", "b", "z"}


@pytest.mark.parametrize(
    ("seconds", "runs"), [(-1, False), (0, True), (1, True), (60, False)], ids=["before", "at", "in", "end"]
)
def test_a_campaign_runs_from_its_first_moment_to_just_before_its_last(seconds: int, runs: bool) -> None:
    campaign = Campaign(1, Decimal(10), NOON, NOON + timedelta(seconds=60), frozenset())

    assert campaign.runs_at(NOON + timedelta(seconds=seconds)) is runs


def test_of_several_campaigns_the_one_that_is_best_for_the_customer_counts() -> None:
    items = frozenset({10})
    both = [Campaign(1, Decimal(10), None, None, items), Campaign(1, Decimal("33.33"), None, None, items)]
    other_pricelist = Campaign(2, Decimal(90), None, None, items)
    catalog = index_catalog(1, replace(TABLES, campaigns=[*both, other_pricelist]))

    assert catalog.campaign_price(10, EUR, Decimal("10.00"), NOON) == Decimal("6.67")
    assert catalog.campaign_price(11, EUR, Decimal("10.00"), NOON) == Decimal("10.00")


@pytest.mark.parametrize(
    ("amount", "percent", "currency", "expected"),
    [
        ("0.05", "10", "EUR", "0.01"),
        ("0.04", "10", "EUR", "0.00"),
        ("100.00", "33.33", "EUR", "33.33"),
        ("9.99", "100", "EUR", "9.99"),
        ("999", "10", "JPY", "100"),
        ("5", "10", "JPY", "1"),
        ("4", "10", "JPY", "0"),
        ("1.005", "10", "KWD", "0.101"),
    ],
)
def test_a_percentage_is_rounded_half_up_to_the_currencys_unit(
    amount: str, percent: str, currency: str, expected: str
) -> None:
    assert str(percent_of(Decimal(amount), Decimal(percent), unit(currency))) == expected
