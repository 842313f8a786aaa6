"""Cancellations: an order that will not be shipped gives back what it has, once (contract §9).

Those of a batch are decided in order: each sees the orders as the ones before it have left them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.completion import Misread
from shared.domain.outcome import Fault, Rejected, reject
from shared.domain.reasons import ALREADY_SHIPPED
from shared.domain.values import value


@value(frozen=True, slots=True)
class CancellationRequest:
    """What a client says of a cancellation."""

    reason: str | None = None
    ignored: tuple[str, ...] = ()
    order: int | None = None


@value(frozen=True, slots=True)
class AskedCancellation:
    """A cancellation, the number of its order, and the markets of whoever asks; None: every market.

    ``number`` None: it could not be read. ``unknown`` is the fault where there is no such order.
    """

    number: int | None
    unknown: Fault
    read: CancellationRequest | Misread
    market_ids: frozenset[int] | None = None


@dataclass(slots=True)
class CancellingOrder:
    """An order as it stands, locked; ``parts`` are the states of all parts of its order request by number."""

    number: int
    first_number: int
    market_id: int
    parts: dict[int, str]
    shipped: Mapping[int, int] = field(default_factory=dict)
    """Units that have shipped, by line id."""

    @property
    def state(self) -> str:
        """Its own state."""
        return self.parts[self.number]

    @property
    def is_gone_whole(self) -> bool:
        """Whether no part of the order request is left."""
        return all(state == "cancelled" for state in self.parts.values())


@dataclass(slots=True)
class Cancellation:
    """An order that is to be cancelled; ``gives_back_uses``: no part is left that has its vouchers."""

    order: CancellingOrder
    reason: str | None
    gives_back_uses: bool


def decide_cancellations(
    asked: Sequence[AskedCancellation], orders: Mapping[int, CancellingOrder]
) -> list[Cancellation | int | Rejected]:
    """Decide cancellations in order; ``orders`` are left as they stand afterwards.

    Orders of one order request share their ``parts``. An integer is the number of an order that is cancelled
    already: nothing changes.
    """
    return [_decide(one, orders) for one in asked]


def _decide(asked: AskedCancellation, orders: Mapping[int, CancellingOrder]) -> Cancellation | int | Rejected:
    order = None if asked.number is None else orders.get(asked.number)
    read = asked.read
    faults = list(read.faults) if isinstance(read, Misread) else []
    # The two look the same: whether there is an order is nothing for whoever may not see it.
    if order is None or not (asked.market_ids is None or order.market_id in asked.market_ids):
        return reject([*([] if asked.number is None else [asked.unknown]), *faults])
    if faults or isinstance(read, Misread):
        return reject(faults)
    if order.state == "cancelled":
        return order.number
    if order.shipped:
        return reject([_shipped(order)])
    order.parts[order.number] = "cancelled"
    return Cancellation(order, read.reason, order.is_gone_whole)


def _shipped(order: CancellingOrder) -> Fault:
    units = sum(order.shipped.values())
    what = "1 unit has" if units == 1 else f"{units} units have"
    msg = f"{what} shipped of order {order.number}: what is on its way cannot be cancelled"
    # Names of JSON's members are texts.
    shipped = {str(line_id): quantity for line_id, quantity in order.shipped.items()}
    return Fault(ALREADY_SHIPPED, "", msg, {"shipped": shipped})
