"""Vouchers on orders that are really placed: what they take off, and a last use that goes to exactly one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.catalog_files import load
from tests.support.orders import line, order
from tests.support.parameter_shop import accepted, placed, settle_at_once

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop


def issue(shop: Shop, code: str, uses: int) -> None:
    """Put a voucher into the catalog that may be used so often."""
    load(shop.api.engine, {"vouchers": [{"code": code, "amount": {"EUR": "1.00"}, "uses": uses}]})


def used(shop: Shop, name: str) -> int:
    [row] = shop.api.rows("SELECT used FROM vouchers WHERE code = :name OR name = :name", name=name)
    return int(row.used)


def test_a_code_with_one_use_left_goes_to_exactly_one_of_eight_racing_orders(parameter_shop: Shop) -> None:
    issue(parameter_shop, "LAST-ONE", 1)
    sent = order(voucherCodes=["LAST-ONE"])
    jobs = [accepted(parameter_shop.api.post({"a": sent}, Prefer="respond-async")) for _ in range(8)]

    outcomes = [answer["a"] for answer in settle_at_once(parameter_shop, jobs)]

    refused = [outcome for outcome in outcomes if outcome["status"] == "no"]
    assert len(refused) == 7
    assert {outcome["code"] for outcome in refused} == {-7}
    assert {outcome["errors"][0]["pointer"] for outcome in refused} == {"/voucherCodes/0"}
    assert all("'LAST-ONE'" in outcome["msg"] for outcome in refused)
    assert used(parameter_shop, "LAST-ONE") == 1
    [held] = parameter_shop.api.rows(
        """SELECT count(*) FROM orders WHERE vouchers @> '[{"code": "LAST-ONE"}]'"""
    )
    assert held[0] == 1


def test_two_vouchers_named_the_other_way_round_by_racing_orders_do_not_deadlock(
    parameter_shop: Shop,
) -> None:
    issue(parameter_shop, "HEN", 3)
    issue(parameter_shop, "EGG", 3)
    codes = [["HEN", "EGG"], ["EGG", "HEN"]] * 4
    jobs = [
        accepted(parameter_shop.api.post({"a": order(voucherCodes=c)}, Prefer="respond-async")) for c in codes
    ]

    outcomes = [answer["a"] for answer in settle_at_once(parameter_shop, jobs)]

    assert sum(outcome["status"] == "ok" for outcome in outcomes) == 3
    assert (used(parameter_shop, "HEN"), used(parameter_shop, "EGG")) == (3, 3)


def test_the_uses_of_a_code_go_to_a_batchs_orders_in_its_order(parameter_shop: Shop) -> None:
    issue(parameter_shop, "TWICE", 2)

    outcomes = parameter_shop.place({key: order(voucherCodes=["TWICE"]) for key in "abc"})

    assert [outcomes[key]["status"] for key in "abc"] == ["ok", "ok", "no"]


def test_an_order_that_is_rejected_for_its_stock_leaves_the_voucher_to_the_next(parameter_shop: Shop) -> None:
    issue(parameter_shop, "KEPT", 1)

    outcomes = parameter_shop.place(
        {
            "sold out": order(line("SOLD-OUT-VASE"), voucherCodes=["KEPT"]),
            "there": order(voucherCodes=["KEPT"]),
        }
    )

    assert outcomes["sold out"]["code"] == -2
    assert outcomes["there"]["status"] == "ok"
    assert used(parameter_shop, "KEPT") == 1


def test_a_prepared_order_has_used_its_voucher_and_completing_it_uses_no_other(parameter_shop: Shop) -> None:
    issue(parameter_shop, "ONCE-ONLY", 1)
    number = parameter_shop.place({"a": order(createOnly=True, voucherCodes=["ONCE-ONLY"])})["a"]["order"]
    assert used(parameter_shop, "ONCE-ONLY") == 1

    assert parameter_shop.complete(number)["orders"] == [number]

    [found] = parameter_shop.orders(f"?order={number}")
    assert [voucher["code"] for voucher in found["vouchers"]] == ["ONCE-ONLY"]
    assert (found["voucherValue"], used(parameter_shop, "ONCE-ONLY")) == (1.0, 1)


def test_a_percentage_is_of_the_lines_and_an_amount_of_the_order(parameter_shop: Shop) -> None:
    found = placed(parameter_shop, order(voucherCodes=["TEN", "GIFT"], voucherValue="0.50"))

    assert [(voucher["code"], voucher["value"]) for voucher in found["vouchers"]] == [
        ("TEN", 5.02),
        ("GIFT", 5.0),
    ]
    assert (found["voucherValue"], found["grandTotalValue"]) == (10.52, 44.6)


def test_what_vouchers_take_off_ends_at_nothing_and_adds_up_to_what_is_told(parameter_shop: Shop) -> None:
    cheap = line(unitPrice="2.00")
    found = placed(parameter_shop, order(cheap, voucherCodes=["GIFT", "TEN"], voucherValue=3))

    # 2.00 and 4.90 for shipping: 3.00 is sent, 3.90 is left for the first code, and nothing for the second.
    assert [(voucher["code"], voucher["value"]) for voucher in found["vouchers"]] == [
        ("GIFT", 3.9),
        ("TEN", 0.0),
    ]
    assert (found["voucherValue"], found["grandTotalValue"]) == (6.9, 0.0)


def test_automatic_vouchers_apply_from_their_minimum_unless_they_are_declined(parameter_shop: Shop) -> None:
    below = placed(parameter_shop, order(line(qty=1, unitPrice="999.99")))
    at = placed(parameter_shop, order(line(qty=1, unitPrice="1000.00")))
    declined = placed(parameter_shop, order(line(qty=1, unitPrice="1000.00"), applyVouchers=False))
    in_dollars = placed(parameter_shop, order(line(qty=1, unitPrice="1000.00"), pricelist="USD"))

    assert [found["voucherValue"] for found in (below, at, declined, in_dollars)] == [0.0, 25.0, 0.0, 0.0]
    assert at["vouchers"] == [{"code": None, "name": "Over 1000", "value": 25.0}]


def test_a_declined_automatic_voucher_leaves_codes_as_they_are(parameter_shop: Shop) -> None:
    found = placed(parameter_shop, order(line(unitPrice="1000"), applyVouchers=False, voucherCodes=["GIFT"]))

    assert [voucher["code"] for voucher in found["vouchers"]] == ["GIFT"]


def test_an_automatic_voucher_without_uses_left_falls_away_and_rejects_nobody(parameter_shop: Shop) -> None:
    first_two = {
        "name": "First two of the day",
        "automatic": True,
        "minimum": {"EUR": "700"},
        "amount": {"EUR": "70"},
        "uses": 2,
    }
    load(parameter_shop.api.engine, {"vouchers": [first_two]})
    sent = order(line(unitPrice="800"))

    jobs = [accepted(parameter_shop.api.post({"a": sent}, Prefer="respond-async")) for _ in range(4)]
    outcomes = [answer["a"] for answer in settle_at_once(parameter_shop, jobs)]

    values = [
        parameter_shop.orders(f"?order={outcome['orders'][0]}")[0]["voucherValue"] for outcome in outcomes
    ]
    assert sorted(values) == [0.0, 0.0, 70.0, 70.0]
    assert used(parameter_shop, "First two of the day") == 2


def test_all_codes_that_cannot_be_had_are_told_at_once(parameter_shop: Shop) -> None:
    outcome = parameter_shop.place({"a": order(voucherCodes=["NOPE", "TEN", "TEN", "NADA"])})["a"]

    assert [error["pointer"] for error in outcome["errors"]] == [
        "/voucherCodes/0",
        "/voucherCodes/2",
        "/voucherCodes/3",
    ]
    assert (outcome["code"], outcome["retryable"]) == (-7, False)


def test_a_voucher_outside_of_its_time_or_market_is_refused_and_says_why(shop: Shop) -> None:
    load(
        shop.api.engine,
        {
            "vouchers": [
                {"code": "GONE", "percent": 5, "to": "2026-01-31"},
                {"code": "COMING", "percent": 5, "from": "2099-01-01"},
                {"code": "YANKEE", "percent": 5, "markets": ["America"]},
                {"code": "ASLEEP", "percent": 5, "active": False},
                {
                    "code": "NOW",
                    "percent": 5,
                    "from": "2020-01-01",
                    "to": "2098-12-31",
                    "markets": ["Europe"],
                },
            ]
        },
    )

    refused = shop.place({"a": order(voucherCodes=["gone", "coming", "yankee", "asleep"])})["a"]
    waits = shop.place({"a": order(voucherCodes=["COMING"])})["a"]
    fits = placed(shop, order(voucherCodes=["NOW"]))

    told = [(error["pointer"], error["reason"], error["params"]) for error in refused["errors"]]
    assert told == [
        ("/voucherCodes/0", "voucher_over", {"code": "GONE", "to": "2026-02-01T00:00:00Z"}),
        ("/voucherCodes/1", "voucher_not_yet", {"code": "COMING", "from": "2099-01-01T00:00:00Z"}),
        ("/voucherCodes/2", "voucher_not_in_market", {"code": "YANKEE", "market": "Europe"}),
        ("/voucherCodes/3", "voucher_inactive", {"code": "ASLEEP"}),
    ]
    assert (refused["code"], refused["retryable"], waits["retryable"]) == (-7, False, True)
    assert fits["voucherValue"] == 2.51


def test_an_automatic_voucher_applies_only_in_its_time_and_market(shop: Shop) -> None:
    mine = {"automatic": True, "amount": {"EUR": "3"}, "minimum": {"EUR": "600"}}
    load(
        shop.api.engine,
        {
            "vouchers": [
                {"name": "Gone by itself", **mine, "to": "2026-01-31"},
                {"name": "Coming by itself", **mine, "from": "2099-01-01"},
                {"name": "Yankee by itself", **mine, "markets": ["America"]},
                {"name": "Asleep by itself", **mine, "active": False},
                {"name": "Now by itself", **mine, "markets": ["Europe"]},
            ]
        },
    )

    found = placed(shop, order(line(unitPrice="650"), applyVouchers=True))

    assert [voucher["name"] for voucher in found["vouchers"]] == ["Now by itself"]
    load(shop.api.engine, {"vouchers": [{"name": "Now by itself", "active": False}]})
    assert placed(shop, order(line(unitPrice="650")))["vouchers"] == []
