"""What reading an order's JSON gives: an order request, or what is wrong and what it names all the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.order import OrderRequest, References
from shared.domain.outcome import Fault


@dataclass(frozen=True, slots=True)
class Parsed:
    """``request`` is None exactly when there are faults.

    ``references`` and ``country`` (of the delivery address) are what could be read in any case, so that the
    faults of looking them up can be told at once with the others.
    """

    request: OrderRequest | None
    faults: tuple[Fault, ...] = ()
    references: References = field(default_factory=References)
    country: str | None = None
