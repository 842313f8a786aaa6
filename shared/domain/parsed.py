"""What reading an order's JSON gives: an order request, or what is wrong and what it names all the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.order import OrderRequest, References
from shared.domain.outcome import Fault


@dataclass(frozen=True, slots=True)
class Parsed:
    """``request`` is None exactly when there are faults.

    ``references`` is what the order names, as far as it could be read, so that the faults of looking it up
    can be told at once with the others; so is ``country``, of a faulty order's delivery address.
    """

    request: OrderRequest | None
    faults: tuple[Fault, ...] = ()
    references: References = field(default_factory=References)
    country: str | None = None
