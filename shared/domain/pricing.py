"""Money, exact to the cent: an order's totals, and shares of it that add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from shared.domain.order import CENT
from shared.domain.values import value

ZERO = Decimal("0.00")


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


def shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """``amount`` in whole cents, divided by weight; the cents left over go to the largest remainders.

    The shares add up to the amount exactly, and none is above its weight while the amount is not above
    the sum of them. ``weights`` are in whole cents, and at least one is not 0 unless the amount is 0.
    """
    if not amount:
        return [ZERO for _ in weights]
    cents = int(amount / CENT)
    scaled = [int(weight / CENT) for weight in weights]
    whole = sum(scaled)
    floors = [cents * weight // whole for weight in scaled]
    remainders = sorted(range(len(scaled)), key=lambda i: (-(cents * scaled[i] % whole), i))
    for i in remainders[: cents - sum(floors)]:
        floors[i] += 1
    return [floor * CENT for floor in floors]
