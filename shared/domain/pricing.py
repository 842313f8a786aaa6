"""Money, exact to its currency's smallest unit: an order's totals, and shares that add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from shared.domain.values import value

ZERO = Decimal(0)
"""Nothing, with no decimals of its own: a sum that begins with it has those of what is added."""


@value(frozen=True, slots=True)
class Totals:
    """What an order, or a part of one, comes to."""

    lines: Decimal
    shipping: Decimal = ZERO
    voucher: Decimal = ZERO

    @property
    def grand(self) -> Decimal:
        """What is to be paid; never below 0."""
        return self.lines + self.shipping - self.voucher


def totals(lines: Decimal, shipping: Decimal, vouchers: Decimal) -> Totals:
    """Vouchers reduce an order to nothing at most."""
    return Totals(lines, shipping, min(vouchers, lines + shipping))


def shares(amount: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """``amount`` in whole units, divided by weight; the units left over go to the largest remainders.

    The shares add up to the amount exactly, and none is above its weight while the amount is not above
    the sum of them. ``weights`` are in whole units, and at least one is not 0 unless the amount is 0.
    """
    if not amount:
        return [ZERO for _ in weights]
    units = int(amount / unit)
    scaled = [int(weight / unit) for weight in weights]
    whole = sum(scaled)
    floors = [units * weight // whole for weight in scaled]
    remainders = sorted(range(len(scaled)), key=lambda i: (-(units * scaled[i] % whole), i))
    for i in remainders[: units - sum(floors)]:
        floors[i] += 1
    return [floor * unit for floor in floors]
