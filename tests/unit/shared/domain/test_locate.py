"""Market, pricelist and allocation rule: an id wins over a name, a name over the default (contract §6)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.locate import locate
from shared.domain.order import OrderNames
from shared.domain.outcome import Code, Fault
from shared.domain.reasons import MARKET_NOT_ALLOWED
from tests.support.domain_shop import snapshot


@pytest.mark.parametrize(
    ("country", "names", "market", "pricelist", "rule"),
    [
        pytest.param("DE", {}, "Europe", "EUR", "Default", id="the delivery country's market"),
        pytest.param("SE", {}, "Europe", "EUR", "Default", id="the lowest id where two markets claim it"),
        pytest.param("DE", {"market": "America"}, "America", "SEK", "By warehouse", id="market by name"),
        pytest.param(
            "DE", {"market_id": 2, "market": "Europe"}, "America", "SEK", "By warehouse", id="by id"
        ),
        pytest.param("JP", {"market_id": 1}, "Europe", "EUR", "Default", id="a country of no market"),
        pytest.param(None, {"market_id": 1}, "Europe", "EUR", "Default", id="no country"),
        pytest.param("DE", {"pricelist": "SEK"}, "Europe", "SEK", "Default", id="pricelist by name"),
        pytest.param(
            "DE", {"pricelist_id": 2, "pricelist": "EUR"}, "Europe", "SEK", "Default", id="by its id"
        ),
        pytest.param(
            "DE", {"pricelist_id": 2, "pricelist": "?"}, "Europe", "SEK", "Default", id="unread name"
        ),
        pytest.param("DE", {"warehouse_group": "By warehouse"}, "Europe", "EUR", "By warehouse", id="rule"),
    ],
)
def test_an_order_is_sold_where_it_says_or_where_it_goes(
    country: str | None, names: dict[str, Any], market: str, pricelist: str, rule: str
) -> None:
    channel, faults = locate(OrderNames(**names), country, snapshot())

    assert faults == []
    assert channel is not None
    assert (channel.market.name, channel.pricelist.name, channel.rule.name) == (market, pricelist, rule)


@pytest.mark.parametrize(
    ("country", "names", "pointer", "msg"),
    [
        ("SE", {"market_id": 99}, "/marketId", "no market has id 99"),
        ("SE", {"market": "Mars"}, "/market", "no market is named 'Mars'"),
        ("SE", {"market_id": 99, "market": "Europe"}, "/marketId", "no market has id 99"),
        ("SE", {"pricelist_id": 99}, "/pricelistId", "no pricelist has id 99"),
        ("SE", {"pricelist": "Gold"}, "/pricelist", "no pricelist is named 'Gold'"),
        ("SE", {"warehouse_group": "Moon"}, "/warehouseGroup", "no allocation rule is named 'Moon'"),
        (
            "JP",
            {},
            "/market",
            "no market has the delivery country 'JP'; name one with marketId or market",
        ),
    ],
)
def test_a_name_that_stands_for_nothing_is_told_with_its_value(
    country: str, names: dict[str, Any], pointer: str, msg: str
) -> None:
    channel, faults = locate(OrderNames(**names), country, snapshot())

    assert channel is None
    assert [(fault.code, fault.pointer, fault.msg) for fault in faults] == [(Code.GENERAL, pointer, msg)]


def test_all_names_that_stand_for_nothing_are_told_at_once() -> None:
    names = OrderNames(market_id=98, pricelist="Gold", warehouse_group="Moon")

    _, faults = locate(names, "SE", snapshot())

    assert [fault.pointer for fault in faults] == ["/marketId", "/pricelist", "/warehouseGroup"]


@pytest.mark.parametrize(
    ("names", "pointer"),
    [({"market_id": 1}, "/marketId"), ({"market": "Europe"}, "/market"), ({}, "/market")],
)
def test_a_key_that_is_limited_to_other_markets_is_told_so(names: dict[str, Any], pointer: str) -> None:
    limited = snapshot(market_ids=frozenset({2}))

    _, faults = locate(OrderNames(**names), "DE", limited)

    assert faults == [
        Fault(MARKET_NOT_ALLOWED, pointer, "the API key is not for market 'Europe'", {"market": "Europe"})
    ]


def test_a_key_that_is_limited_to_this_market_sells_there() -> None:
    channel, faults = locate(OrderNames(), "DE", snapshot(market_ids=frozenset({1})))

    assert (channel is not None, faults) == (True, [])
