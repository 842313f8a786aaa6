"""The decimals that a currency's amounts have: the minor units of ISO 4217.

CLDR, and so Babel, says 0 of some that ISO says 2 or 3 of (RSD, ALL, IQD …): nobody has coins so small any
more, and amounts are shown without. They are still counted with them, on price tags, in books and by whoever
takes payments, so here ISO wins. Two units of account, CLF and UYW, have 4: three of them are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import TOO_MANY_DECIMALS

MOST_DECIMALS: Final = 3
"""What an amount's column has behind the point."""

_NONE: Final = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI")
_OTHER_NONE: Final = ("VND", "VUV", "XAF", "XOF", "XPF")
_THREE: Final = ("BHD", "CLF", "IQD", "JOD", "KWD", "LYD", "OMR", "TND", "UYW")

DECIMALS: Final = {**dict.fromkeys((*_NONE, *_OTHER_NONE), 0), **dict.fromkeys(_THREE, 3)}
"""Of the currencies that have others than two."""

# Wide enough for any amount times any quantity: a total is told of although it is far too large.
_WIDE: Final = Context(prec=60)
_UNITS: Final = (Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal("0.001"))

Amounts = Iterable[tuple[str, Decimal]]
"""Amounts as they were sent, each with the pointer to its place."""


def decimals(currency: str) -> int:
    """How many decimals amounts in a currency (ISO 4217) have: 0, 2 or 3."""
    return DECIMALS.get(currency, 2)


def unit(currency: str) -> Decimal:
    """The smallest amount in a currency: ``0.01`` in EUR. All others are so many of it."""
    return _UNITS[DECIMALS.get(currency, 2)]


def rounded(amount: Decimal, to: Decimal) -> Decimal:
    """The amount in whole units ``to``, rounded half up."""
    return amount.quantize(to, ROUND_HALF_UP, context=_WIDE)


def counted(amount: Decimal, to: Decimal) -> Decimal:
    """The same as ``rounded``; costs next to nothing where the amount has those decimals."""
    return amount if amount.same_quantum(to) else rounded(amount, to)


def in_units(amount: Decimal, to: Decimal) -> Decimal | None:
    """The same amount with the decimals of the unit ``to``; None if it has more."""
    if amount.same_quantum(to):
        return amount
    same = amount.quantize(to, context=_WIDE)
    return same if same == amount else None


def shown(amount: Decimal, currency: str) -> Decimal:
    """An amount of ours as it is told: with its currency's decimals.

    One that has more, from a version that counted every currency in hundredths, is told as it is.
    """
    same = in_units(amount, unit(currency))
    return amount if same is None else same


def amount_faults(amounts: Amounts, currency: str | None) -> list[Fault]:
    """A fault for each amount that a currency cannot write; None: it is not known, and may be any."""
    most = MOST_DECIMALS if currency is None else decimals(currency)
    return [
        decimals_fault(pointer, amount, currency)
        for pointer, amount in amounts
        if in_units(amount, _UNITS[most]) is None
    ]


def decimals_fault(pointer: str, amount: Decimal, currency: str | None) -> Fault:
    """The fault of an amount that its currency cannot write."""
    most = MOST_DECIMALS if currency is None else decimals(currency)
    return Fault(TOO_MANY_DECIMALS, pointer, too_many_decimals(amount, currency), {"decimals": most})


def too_many_decimals(amount: Decimal, currency: str | None) -> str:
    """What is said of an amount that its currency cannot write."""
    if currency is None:
        return (
            f"{quoted(amount)} has more than {MOST_DECIMALS} decimals, which no currency has; round it first"
        )
    most = decimals(currency)
    whose = f"more than the {most} decimals of {currency}" if most else f"decimals, and {currency} has none"
    return f"{quoted(amount)} has {whose}; round it first"
