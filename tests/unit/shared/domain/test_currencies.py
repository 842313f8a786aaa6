"""The decimals of currencies: those of ISO 4217, and where Babel knows others, why that is so."""

from __future__ import annotations

from decimal import Decimal

import pycountry
import pytest
from babel.numbers import get_currency_precision

from shared.domain.currencies import DECIMALS, MOST_DECIMALS, decimals, in_units, shown, unit

# What CLDR shows without decimals although ISO counts in two of them, and in one case in three.
SHOWN_WITHOUT = {*["AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"], "IQD"}
KEPT_WITH_THREE = {"CLF", "UYW"}


def test_every_currency_has_babels_decimals_but_those_that_are_only_shown_without() -> None:
    currencies = {currency.alpha_3 for currency in pycountry.currencies}

    others = {code for code in currencies if decimals(code) != get_currency_precision(code)}

    assert others == SHOWN_WITHOUT | KEPT_WITH_THREE
    assert {get_currency_precision(code) for code in SHOWN_WITHOUT} == {0}
    assert {get_currency_precision(code) for code in KEPT_WITH_THREE} == {4}
    assert all(decimals(code) == MOST_DECIMALS for code in KEPT_WITH_THREE)
    assert DECIMALS.keys() <= currencies


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("899.00", "JPY", "899"),
        ("899", "EUR", "899.00"),
        ("14.100", "EUR", "14.10"),
        ("1.2", "KWD", "1.200"),
        # Of a version that counted yen in hundredths: what was sold for so much stays as it was sold.
        ("899.10", "JPY", "899.10"),
    ],
)
def test_an_amount_is_told_with_its_currencys_decimals(amount: str, currency: str, expected: str) -> None:
    assert str(shown(Decimal(amount), currency)) == expected


def test_an_amount_with_more_decimals_is_not_in_its_currencys_units() -> None:
    assert in_units(Decimal("899.5"), unit("JPY")) is None
    assert in_units(Decimal("14.115"), unit("EUR")) is None
    assert in_units(Decimal("1.2345"), unit("KWD")) is None
    assert in_units(Decimal("1e-400"), unit("KWD")) is None
