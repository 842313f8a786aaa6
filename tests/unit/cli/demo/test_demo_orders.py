"""The orders of the demonstration, and how their outcomes are judged."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from cli.client.outcomes import Outcome
from cli.demo.goods import Goods, read_goods
from cli.demo.orders import Expected, make_batch, scarce_counts, surprises

SAMPLE = json.loads((resources.files("cli") / "samples" / "catalog.json").read_bytes())
OK = Outcome("ok")


@pytest.fixture(scope="module")
def goods() -> Goods:
    return read_goods(SAMPLE)


def answered(batch: dict[str, Expected]) -> dict[str, Outcome]:
    """The outcomes that are expected, success first where there is a choice."""
    best = {key: max(expected.codes) for key, expected in batch.items()}
    return {key: OK if code == 0 else Outcome("no", code) for key, code in best.items()}


def test_sample_catalog_has_plenty_and_the_last_few(goods: Goods) -> None:
    assert len(goods.plenty) > 20
    assert goods.scarce not in goods.plenty
    assert goods.scarce_units == 3
    assert goods.retired not in goods.plenty


def test_the_same_orders_are_made_each_time(goods: Goods) -> None:
    assert make_batch(300, goods, 1) == make_batch(300, goods, 1)


def test_orders_fail_in_all_seven_ways_and_most_succeed(goods: Goods) -> None:
    batch = make_batch(2_000, goods, 1)

    codes = [code for expected in batch.values() for code in expected.codes]
    assert set(codes) == {0, -1, -2, -3, -4, -5, -6, -7}
    assert codes.count(0) >= 1_900


def test_more_orders_want_the_scarce_item_than_there_are_units(goods: Goods) -> None:
    batch = make_batch(2_000, goods, 1)

    wanted, _ = scarce_counts(batch, answered(batch))
    assert wanted > goods.scarce_units


def test_addresses_come_in_several_scripts_from_countries_that_are_delivered_to(goods: Goods) -> None:
    batch = make_batch(200, goods, 1)
    addresses = [e.order["address"] for e in batch.values() if e.codes == {0} and "address" in e.order]

    assert {address["country"] for address in addresses} <= goods.countries
    written = json.dumps(addresses, ensure_ascii=False)
    assert all(word in written for word in ("Åsa", "東京", "Αθήνα", "القاهرة", "София"))


def test_expected_outcomes_are_no_surprise(goods: Goods) -> None:
    batch = make_batch(500, goods, 1)

    assert surprises(batch, answered(batch)) == []


def test_wrong_code_is_a_surprise_that_names_its_key(goods: Goods) -> None:
    batch = make_batch(500, goods, 1)
    outcomes = {**answered(batch), "order-000001": Outcome("no", -4, "address.email: missing")}

    assert surprises(batch, outcomes) == [
        "order-000001 has code -4 where [0] was due: address.email: missing"
    ]


def test_missing_key_is_a_surprise(goods: Goods) -> None:
    batch = make_batch(10, goods, 1)
    outcomes = answered(batch)
    del outcomes["order-000005"]

    assert surprises(batch, outcomes) == ["10 keys were sent; 9 came back, or in another order."]
