"""Money to the cent: totals never below 0, and shares that add up to the whole."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.currencies import unit
from shared.domain.order import MOST_MONEY
from shared.domain.pricing import ZERO, Totals, shares, totals

CENT = unit("EUR")
counts = st.lists(
    st.integers(0, int(MOST_MONEY)) | st.integers(0, 30),
    min_size=1,
    max_size=12,
).filter(any)


@st.composite
def amounts_and_weights(draw: st.DrawFn) -> tuple[Decimal, list[Decimal], Decimal]:
    """An amount that is not above the sum of the weights, as a voucher's is not above what it reduces."""
    smallest = unit(draw(st.sampled_from(["JPY", "EUR", "KWD"])))
    parts = draw(counts)
    units = draw(st.integers(0, sum(parts)))
    return units * smallest, [part * smallest for part in parts], smallest


@given(amounts_and_weights())
def test_shares_add_up_to_the_amount_exactly(case: tuple[Decimal, list[Decimal], Decimal]) -> None:
    amount, parts, smallest = case

    assert sum(shares(amount, parts, smallest)) == amount


@given(amounts_and_weights())
def test_each_share_is_less_than_a_unit_from_its_exact_one(
    case: tuple[Decimal, list[Decimal], Decimal],
) -> None:
    amount, parts, smallest = case
    whole = Fraction(sum(parts))

    for share, weight in zip(shares(amount, parts, smallest), parts, strict=True):
        assert abs(Fraction(share) - Fraction(amount) * Fraction(weight) / whole) < Fraction(smallest)


@given(amounts_and_weights())
def test_no_share_is_above_its_weight_or_below_zero(case: tuple[Decimal, list[Decimal], Decimal]) -> None:
    amount, parts, smallest = case

    for share, weight in zip(shares(amount, parts, smallest), parts, strict=True):
        assert ZERO <= share <= weight


def test_the_cent_that_is_left_over_goes_to_the_largest_remainder_then_to_the_first() -> None:
    assert shares(Decimal("10.00"), [Decimal("1.00")] * 3, CENT) == [
        Decimal("3.34"),
        Decimal("3.33"),
        Decimal("3.33"),
    ]
    assert shares(Decimal("0.01"), [Decimal("1.00"), Decimal("2.00")], CENT) == [
        Decimal("0.00"),
        Decimal("0.01"),
    ]


def test_nothing_is_shared_among_parts_that_are_worth_nothing() -> None:
    assert shares(ZERO, [ZERO, ZERO], CENT) == [ZERO, ZERO]


@pytest.mark.parametrize(
    ("lines", "shipping", "vouchers", "expected"),
    [
        ("10.00", "5.00", "3.00", "12.00"),
        ("10.00", "5.00", "15.00", "0.00"),
        ("10.00", "5.00", "9999.00", "0.00"),
        ("0.00", "0.00", "1.00", "0.00"),
    ],
)
def test_vouchers_reduce_an_order_to_nothing_at_most(
    lines: str, shipping: str, vouchers: str, expected: str
) -> None:
    found = totals(Decimal(lines), Decimal(shipping), Decimal(vouchers))

    assert found.grand == Decimal(expected)
    assert found == Totals(
        Decimal(lines), Decimal(shipping), min(Decimal(vouchers), found.lines + found.shipping)
    )
