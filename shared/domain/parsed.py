"""The parsed order: an order request, or what is wrong with it and what it names all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from decimal import Decimal

from shared.domain.order import ElementNames, OrderNames, OrderRequest
from shared.domain.outcome import Fault
from shared.domain.values import value

_ELEMENT_STEPS = 3
"""Of a pointer: nothing before the first "/", the list, its element."""


@value(frozen=True, slots=True)
class Parsed:
    """``request`` is None exactly when there are faults.

    ``names`` is what the order names, as far as it could be read, so that the faults of looking it up
    can be told at once with the others; so is ``country``, of a faulty order's delivery address.
    """

    request: OrderRequest | None
    faults: tuple[Fault, ...] = ()
    names: OrderNames = field(default_factory=OrderNames)
    country: str | None = None
    ignored: tuple[str, ...] = ()
    """Pointers to members that are no parameters: the first of them."""
    element_names: ElementNames | None = None
    amounts: tuple[tuple[str, Decimal], ...] = ()
    """Of a faulty order: its amounts of money with their pointers, for its currency may not write them."""
    addressed: bool = True
    """Whether a faulty order has an address, be it a wrong one; else its account's stands in."""


def as_sent(faults: Iterable[Fault], names: ElementNames | None) -> list[Fault]:
    """The same faults, their pointers into lists by the names that the elements were sent under."""
    return [_renamed(fault, names) for fault in faults] if names else list(faults)


def _renamed(fault: Fault, names: ElementNames) -> Fault:
    steps = fault.pointer.split("/")
    if len(steps) < _ELEMENT_STEPS or steps[1] not in names:
        return fault
    steps[2] = names[steps[1]][int(steps[2])]
    return replace(fault, pointer="/".join(steps))
