"""Vouchers: which apply to an order and what they take off (contract §6 and 7)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from shared.domain.currencies import rounded, unit
from shared.domain.moments import in_zone
from shared.domain.order import UNREAD_CODE
from shared.domain.outcome import Fault, quoted
from shared.domain.pricing import ZERO
from shared.domain.reasons import (
    VOUCHER_BELOW_MINIMUM,
    VOUCHER_INACTIVE,
    VOUCHER_NOT_IN_CURRENCY,
    VOUCHER_NOT_IN_MARKET,
    VOUCHER_NOT_YET,
    VOUCHER_OVER,
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
    active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """The moment from which it is over."""
    market_ids: frozenset[int] | None = None
    """The markets whose orders may have it; None: every one."""


class Sale(NamedTuple):
    """What of an order a voucher's conditions ask for; None where the order does not tell yet."""

    moment: datetime
    """When it is decided."""
    market_id: int | None = None
    market: str | None = None
    currency: str | None = None
    lines_total: Decimal | None = None


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
    codes: Sequence[str], known: Mapping[str, Voucher], sale: Sale
) -> tuple[list[Applied], list[Fault]]:
    """The vouchers that the known of these codes stand for; a fault for each that this order cannot have."""
    applied: list[Applied] = []
    faults: list[Fault] = []
    for position, voucher in named_vouchers(codes, known):
        why_not = obstacle(voucher, position, sale)
        if why_not is None:
            applied.append(Applied(voucher, value_of(voucher, sale), position))
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


def apply_automatic(vouchers: Sequence[Voucher], sale: Sale) -> list[Applied]:
    """The automatic vouchers whose conditions this order meets."""
    return [
        Applied(voucher, value_of(voucher, sale))
        for voucher in vouchers
        if obstacle(voucher, 0, sale) is None
    ]


def obstacle(voucher: Voucher, position: int, sale: Sale) -> Fault | None:
    """Why a voucher cannot apply to an order, or None. Its uses are another matter: they are counted."""
    return (
        _out_of_time(voucher, position, sale.moment)
        or _elsewhere(voucher, position, sale)
        or _not_in_currency(voucher, position, sale.currency)
        or _below_minimum(voucher, position, sale)
    )


def _out_of_time(voucher: Voucher, position: int, moment: datetime) -> Fault | None:
    code = voucher.code or voucher.name
    if not voucher.active:
        return Fault(VOUCHER_INACTIVE, _at(position), f"voucher {quoted(code)} is not active", {"code": code})
    if voucher.starts_at is not None and moment < voucher.starts_at:
        told = _told(voucher.starts_at)
        msg = f"voucher {quoted(code)} is not valid before {told}"
        return Fault(VOUCHER_NOT_YET, _at(position), msg, {"code": code, "from": told})
    if voucher.ends_at is not None and moment >= voucher.ends_at:
        told = _told(voucher.ends_at)
        msg = f"voucher {quoted(code)} was valid until {told}"
        return Fault(VOUCHER_OVER, _at(position), msg, {"code": code, "to": told})
    return None


def _told(moment: datetime) -> str:
    return in_zone(moment, UTC).isoformat().replace("+00:00", "Z")


def _elsewhere(voucher: Voucher, position: int, sale: Sale) -> Fault | None:
    if voucher.market_ids is None or sale.market_id is None or sale.market_id in voucher.market_ids:
        return None
    code = voucher.code or voucher.name
    msg = f"voucher {quoted(code)} is not for market {quoted(sale.market)}"
    return Fault(VOUCHER_NOT_IN_MARKET, _at(position), msg, {"code": code, "market": sale.market})


def _not_in_currency(voucher: Voucher, position: int, currency: str | None) -> Fault | None:
    if currency is None:
        return None
    if voucher.percent is None and currency not in voucher.amounts:
        lacks = "amount"
    elif voucher.minimums and currency not in voucher.minimums:
        lacks = "minimum"
    else:
        return None
    code = voucher.code or voucher.name
    msg = f"voucher {quoted(code)} has no {lacks} in {currency}"
    return Fault(VOUCHER_NOT_IN_CURRENCY, _at(position), msg, {"code": code, "currency": currency})


def _below_minimum(voucher: Voucher, position: int, sale: Sale) -> Fault | None:
    currency, comes_to = sale.currency, sale.lines_total
    minimum = None if currency is None else voucher.minimums.get(currency)
    if minimum is None or comes_to is None or comes_to >= minimum:
        return None
    code = voucher.code or voucher.name
    msg = f"voucher {quoted(code)} asks for {minimum} {currency}; the lines come to {comes_to}"
    told = {"code": code, "minimum": str(minimum), "currency": currency}
    return Fault(VOUCHER_BELOW_MINIMUM, _at(position), msg, told)


def value_of(voucher: Voucher, sale: Sale) -> Decimal:
    """What a voucher takes off an order to which nothing keeps it from applying."""
    currency, lines_total = sale.currency or "", sale.lines_total or ZERO
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
        self._redeemed: dict[int, int] = {}

    def less(self, taken: Mapping[int, int]) -> Uses:
        """What is left once these uses are gone."""
        return Uses({voucher_id: left - taken.get(voucher_id, 0) for voucher_id, left in self._left.items()})

    def usable(self, applied: Sequence[Applied]) -> tuple[list[Applied], list[Fault]]:
        """Those that have a use left. An automatic one without falls away; a code without is a fault."""
        there = [one for one in applied if not one.voucher.limited or self._left.get(one.voucher.id, 0) > 0]
        faults = [_used_up(one) for one in applied if one not in there and one.position is not None]
        return there, faults

    def redeem(self, applied: Sequence[Applied]) -> None:
        """Use these vouchers for good."""
        for voucher_id in (one.voucher.id for one in applied if one.voucher.limited):
            self._left[voucher_id] = self._left.get(voucher_id, 0) - 1
            self._redeemed[voucher_id] = self._redeemed.get(voucher_id, 0) + 1

    def redeemed(self) -> Mapping[int, int]:
        """Uses taken so far, by voucher id."""
        return self._redeemed


def _used_up(applied: Applied) -> Fault:
    """The fault of a code whose last use has gone to another order."""
    msg = f"voucher {quoted(applied.voucher.code)} has no uses left"
    return Fault(VOUCHER_USED_UP, f"/voucherCodes/{applied.position}", msg, {"code": applied.voucher.code})
