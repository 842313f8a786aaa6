"""Vouchers: which apply to an order and what they take off (contract §6 and 7)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from shared.domain.currencies import rounded, unit
from shared.domain.order import UNREAD_CODE
from shared.domain.outcome import Fault, quoted
from shared.domain.pricing import ZERO
from shared.domain.reasons import (
    VOUCHER_BELOW_MINIMUM,
    VOUCHER_NOT_IN_CURRENCY,
    VOUCHER_REPEATED,
    VOUCHER_UNKNOWN,
    VOUCHER_USED_UP,
)

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Voucher:
    """A reduction by percent of the lines or by an amount per currency; ``code`` None: automatic only."""

    id: int
    code: str | None
    name: str
    automatic: bool
    percent: Decimal | None = None
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    minimums: Mapping[str, Decimal] = field(default_factory=dict)
    """What the lines must come to, by currency; empty: no minimum."""
    limited: bool = False
    """Whether its uses are counted."""


def compared(name: str) -> str:
    """A name in the form in which names are compared: Unicode's NFC."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class VouchersByCode(Mapping[str, Voucher]):
    """Vouchers by their codes, whatever the case and the form that a code is written in."""

    def __init__(self, vouchers: Iterable[Voucher]) -> None:
        self._found = {code_key(voucher.code): voucher for voucher in vouchers if voucher.code is not None}

    def __getitem__(self, code: str) -> Voucher:  # noqa: D105 - a mapping
        return self._found[code_key(code)]

    def __iter__(self) -> Iterator[str]:  # noqa: D105 - a mapping
        return iter(self._found)

    def __len__(self) -> int:  # noqa: D105 - a mapping
        return len(self._found)


def code_key(code: str) -> str:
    """What is the same for every way of writing a voucher's code."""
    return compared(compared(code).casefold())


@dataclass(frozen=True, slots=True)
class Applied:
    """A voucher that an order has, what it takes off, and the element of voucherCodes that named it."""

    voucher: Voucher
    value: Decimal
    position: int | None = None


def percent_of(amount: Decimal, percent: Decimal, to: Decimal) -> Decimal:
    """So many percent of an amount, in whole units ``to``, rounded half up."""
    return rounded(amount * percent / _HUNDRED, to)


def code_faults(codes: Sequence[str], known: Mapping[str, Voucher]) -> list[Fault]:
    """A fault for each code that no order could have: unknown, or given before."""
    faults: list[Fault] = []
    given: set[int] = set()
    for position, code in enumerate(codes):
        voucher = known.get(code)
        if voucher is None:
            # One that could not be read keeps its place, and has been told of already.
            if code != UNREAD_CODE:
                msg = f"no voucher has code {quoted(code)}"
                faults.append(Fault(VOUCHER_UNKNOWN, _at(position), msg, {"code": code}))
        elif voucher.id in given:
            msg = f"voucher {quoted(code)} is given twice"
            faults.append(Fault(VOUCHER_REPEATED, _at(position), msg, {"code": code}))
        else:
            given.add(voucher.id)
    return faults


def apply_codes(
    codes: Sequence[str], known: Mapping[str, Voucher], lines_total: Decimal, currency: str
) -> tuple[list[Applied], list[Fault]]:
    """The vouchers that the known of these codes stand for; a fault for each that this order cannot have."""
    applied: list[Applied] = []
    faults: list[Fault] = []
    for position, voucher in named_vouchers(codes, known):
        why_not = obstacle(voucher, position, lines_total, currency)
        if why_not is None:
            applied.append(Applied(voucher, value_of(voucher, lines_total, currency), position))
        else:
            faults.append(why_not)
    return applied, faults


def named_vouchers(codes: Sequence[str], known: Mapping[str, Voucher]) -> list[tuple[int, Voucher]]:
    """The vouchers that codes stand for, each with the place of the first that does."""
    found: dict[int, tuple[int, Voucher]] = {}
    for position, code in enumerate(codes):
        voucher = known.get(code)
        if voucher is not None:
            found.setdefault(voucher.id, (position, voucher))
    return list(found.values())


def _at(position: int) -> str:
    return f"/voucherCodes/{position}"


def apply_automatic(vouchers: Sequence[Voucher], lines_total: Decimal, currency: str) -> list[Applied]:
    """The automatic vouchers whose conditions this order meets."""
    return [
        Applied(voucher, value_of(voucher, lines_total, currency))
        for voucher in vouchers
        if obstacle(voucher, 0, lines_total, currency) is None
    ]


def obstacle(voucher: Voucher, position: int, lines_total: Decimal, currency: str) -> Fault | None:
    """Why a voucher cannot apply to an order, or None. Its uses are another matter: they are counted."""
    return currency_obstacle(voucher, position, currency) or _below_minimum(
        voucher, position, lines_total, currency
    )


def currency_obstacle(voucher: Voucher, position: int, currency: str) -> Fault | None:
    """The fault of a voucher that says nothing of a currency, or None."""
    if voucher.percent is None and currency not in voucher.amounts:
        lacks = "amount"
    elif voucher.minimums and currency not in voucher.minimums:
        lacks = "minimum"
    else:
        return None
    code = voucher.code or voucher.name
    msg = f"voucher {quoted(code)} has no {lacks} in {currency}"
    return Fault(VOUCHER_NOT_IN_CURRENCY, _at(position), msg, {"code": code, "currency": currency})


def _below_minimum(voucher: Voucher, position: int, lines_total: Decimal, currency: str) -> Fault | None:
    minimum = voucher.minimums.get(currency)
    if minimum is None or lines_total >= minimum:
        return None
    code = voucher.code or voucher.name
    msg = f"voucher {quoted(code)} asks for {minimum} {currency}; the lines come to {lines_total}"
    told = {"code": code, "minimum": str(minimum), "currency": currency}
    return Fault(VOUCHER_BELOW_MINIMUM, _at(position), msg, told)


def value_of(voucher: Voucher, lines_total: Decimal, currency: str) -> Decimal:
    """What a voucher takes off lines of this worth."""
    if voucher.percent is not None:
        return percent_of(lines_total, voucher.percent, unit(currency))
    return voucher.amounts[currency]


def within(applied: Sequence[Applied], most: Decimal) -> list[Applied]:
    """The same vouchers, each taking off no more than those before it have left of ``most``."""
    capped: list[Applied] = []
    for one in applied:
        value = max(min(one.value, most), ZERO)
        capped.append(replace(one, value=value))
        most -= value
    return capped


class Uses:
    """How often each limited voucher may still be used; each order sees what the earlier ones left."""

    def __init__(self, left: Mapping[int, int]) -> None:
        self._left = dict(left)
        self._taken: dict[int, int] = {}

    def usable(self, applied: Sequence[Applied]) -> tuple[list[Applied], list[Fault]]:
        """Those that have a use left. An automatic one without falls away; a code without is a fault."""
        there = [one for one in applied if not one.voucher.limited or self._left.get(one.voucher.id, 0) > 0]
        faults = [_used_up(one) for one in applied if one not in there and one.position is not None]
        return there, faults

    def take(self, applied: Sequence[Applied]) -> None:
        """Use these vouchers for good."""
        for voucher_id in (one.voucher.id for one in applied if one.voucher.limited):
            self._left[voucher_id] = self._left.get(voucher_id, 0) - 1
            self._taken[voucher_id] = self._taken.get(voucher_id, 0) + 1

    def taken(self) -> Mapping[int, int]:
        """Uses taken so far, by voucher id."""
        return self._taken


def _used_up(applied: Applied) -> Fault:
    """The fault of a code whose last use has gone to another order."""
    msg = f"voucher {quoted(applied.voucher.code)} has no uses left"
    return Fault(VOUCHER_USED_UP, f"/voucherCodes/{applied.position}", msg, {"code": applied.voucher.code})
