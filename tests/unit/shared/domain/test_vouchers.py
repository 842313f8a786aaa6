"""What a voucher takes off, which orders may have it, and how its uses are shared out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.currencies import unit
from shared.domain.outcome import Code
from shared.domain.vouchers import (
    Applied,
    Sale,
    Uses,
    Voucher,
    VouchersByCode,
    apply_automatic,
    apply_codes,
    code_faults,
    compared,
    obstacle,
    percent_of,
    value_of,
    within,
)
from tests.support.domain_shop import EUROPE, NOON

TEN = Voucher(1, "TEN", "Ten", automatic=False, percent=Decimal(10))
GIFT = Voucher(2, "GIFT", "Gift", automatic=False, amounts={"EUR": Decimal("5.00")}, limited=True)
OVER_100 = Voucher(
    3,
    None,
    "Over 100",
    automatic=True,
    amounts={"EUR": Decimal("10.00"), "SEK": Decimal("100.00")},
    minimums={"EUR": Decimal("100.00")},
    limited=True,
)
KNOWN = {"TEN": TEN, "GIFT": GIFT}


def sale(lines_total: str | int, currency: str = "EUR", moment: datetime = NOON) -> Sale:
    """An order of the market Europe."""
    return Sale(moment, EUROPE.id, EUROPE.name, currency, Decimal(lines_total))


CENT = unit("EUR")

amounts = st.integers(0, 10**12).map(lambda cents: cents * CENT)


@given(
    units=st.integers(0, 10**12),
    percent=st.integers(0, 10_000).map(lambda hundredths: hundredths * CENT),
    currency=st.sampled_from(["JPY", "EUR", "KWD"]),
)
def test_a_percentage_is_within_half_a_unit_of_the_exact_one_and_never_more_than_the_whole(
    units: int, percent: Decimal, currency: str
) -> None:
    amount = units * unit(currency)
    value = percent_of(amount, percent, unit(currency))

    assert abs(value - amount * percent / 100) <= unit(currency) / 2
    assert 0 <= value <= amount
    assert value.same_quantum(unit(currency))


def test_a_voucher_of_an_amount_takes_the_currencys() -> None:
    assert value_of(OVER_100, sale(500, "SEK")) == Decimal("100.00")
    assert value_of(TEN, sale("50.25", "SEK")) == Decimal("5.03")


@pytest.mark.parametrize(
    ("voucher", "lines_total", "currency", "why"),
    [
        (TEN, "0.00", "USD", None),
        (GIFT, "0.01", "EUR", None),
        (GIFT, "99.00", "USD", "voucher 'GIFT' has no amount in USD"),
        (OVER_100, "100.00", "EUR", None),
        (OVER_100, "99.99", "EUR", "voucher 'Over 100' asks for 100.00 EUR; the lines come to 99.99"),
        (OVER_100, "900.00", "SEK", "voucher 'Over 100' has no minimum in SEK"),
    ],
)
def test_a_voucher_says_why_an_order_cannot_have_it(
    voucher: Voucher, lines_total: str, currency: str, why: str | None
) -> None:
    fault = obstacle(voucher, 2, sale(lines_total, currency))

    assert (fault and fault.msg) == why
    assert fault is None or fault.pointer == "/voucherCodes/2"


def test_codes_that_no_order_could_have_are_told_each_where_it_stands() -> None:
    faults = code_faults(["TEN", "NOPE", "TEN", "ten"], KNOWN)

    assert [(fault.code, fault.pointer, fault.msg) for fault in faults] == [
        (Code.GENERAL, "/voucherCodes/1", "no voucher has code 'NOPE'"),
        (Code.GENERAL, "/voucherCodes/2", "voucher 'TEN' is given twice"),
        (Code.GENERAL, "/voucherCodes/3", "no voucher has code 'ten'"),
    ]


def test_a_code_that_this_order_cannot_have_is_a_fault_and_the_others_apply() -> None:
    applied, faults = apply_codes(["GIFT", "TEN"], KNOWN, sale("80.00", "SEK"))

    assert applied == [Applied(TEN, Decimal("8.00"), 1)]
    assert [fault.pointer for fault in faults] == ["/voucherCodes/0"]


def test_automatic_vouchers_apply_where_they_can_and_are_no_fault_elsewhere() -> None:
    assert apply_automatic([OVER_100], sale("100.00")) == [Applied(OVER_100, Decimal("10.00"))]
    assert apply_automatic([OVER_100], sale("99.00")) == []


@given(
    values=st.lists(amounts, max_size=5),
    most=st.integers(-(10**12), 10**12).map(lambda cents: cents * CENT),
)
def test_vouchers_together_take_what_there_is_at_most_and_those_named_first_take_first(
    values: list[Decimal], most: Decimal
) -> None:
    applied = [Applied(replace(TEN, id=n), value) for n, value in enumerate(values)]

    capped = within(applied, most)

    assert [one.voucher for one in capped] == [one.voucher for one in applied]
    assert sum(one.value for one in capped) == min(sum(values), max(most, Decimal(0)))
    for n, one in enumerate(capped):
        assert one.value == max(Decimal(0), min(values[n], most - sum(values[:n])))


def test_a_use_goes_to_the_first_that_takes_it_and_the_next_is_told() -> None:
    uses = Uses({GIFT.id: 1})
    named = [Applied(GIFT, Decimal("5.00"), 0)]

    first, nothing_wrong = uses.usable(named)
    uses.redeem(first)
    second, faults = uses.usable(named)

    assert (first, nothing_wrong) == (named, [])
    assert second == []
    assert [(fault.pointer, fault.msg) for fault in faults] == [
        ("/voucherCodes/0", "voucher 'GIFT' has no uses left")
    ]
    assert uses.redeemed() == {GIFT.id: 1}


def test_an_automatic_voucher_without_uses_falls_away_in_silence() -> None:
    assert Uses({}).usable([Applied(OVER_100, Decimal("10.00"))]) == ([], [])


def test_a_voucher_whose_uses_are_not_counted_never_runs_out() -> None:
    uses = Uses({})
    for _ in range(3):
        usable, _ = uses.usable([Applied(TEN, Decimal("1.00"), 0)])
        uses.redeem(usable)
        assert len(usable) == 1

    assert uses.redeemed() == {}


@pytest.mark.parametrize("code", ["TEN", "ten", "Ten"])
def test_a_code_is_the_same_in_another_case(code: str) -> None:
    known = VouchersByCode([TEN, GIFT, OVER_100])

    assert known[code] is TEN
    assert code_faults([code], known) == []
    assert [fault.pointer for fault in code_faults(["TEN", "NOPE", code], known)] == [
        "/voucherCodes/1",
        "/voucherCodes/2",
    ]
    assert len(known) == 2


def test_a_code_and_a_name_are_the_same_in_another_form_of_unicode() -> None:
    night = replace(TEN, code="NA\u0308R")

    assert VouchersByCode([night])["n\u00e4r"] is night
    assert compared("O\u0308st") == "\u00d6st"


@pytest.mark.parametrize(
    ("seconds", "reason"), [(-1, "voucher_not_yet"), (0, None), (59, None), (60, "voucher_over")]
)
def test_a_voucher_is_valid_from_its_first_moment_to_just_before_its_last(
    seconds: int, reason: str | None
) -> None:
    minute = replace(TEN, starts_at=NOON, ends_at=NOON + timedelta(seconds=60))
    by_itself = replace(minute, automatic=True)
    at = sale(50, moment=NOON + timedelta(seconds=seconds))

    fault = obstacle(minute, 0, at)

    assert (fault and fault.reason.name) == reason
    assert bool(apply_automatic([by_itself], at)) == (reason is None)


def test_a_voucher_that_is_not_active_or_not_for_the_market_applies_nowhere_and_says_why() -> None:
    asleep, abroad = replace(TEN, active=False), replace(TEN, market_ids=frozenset({99}))
    nowhere = replace(TEN, market_ids=frozenset())

    told = [obstacle(voucher, 0, sale(50)) for voucher in (asleep, abroad, nowhere)]

    assert [fault and fault.msg for fault in told] == [
        "voucher 'TEN' is not active",
        "voucher 'TEN' is not for market 'Europe'",
        "voucher 'TEN' is not for market 'Europe'",
    ]
    assert (
        apply_automatic([replace(one, automatic=True) for one in (asleep, abroad, nowhere)], sale(50)) == []
    )
    assert obstacle(replace(TEN, market_ids=frozenset({EUROPE.id})), 0, sale(50)) is None
