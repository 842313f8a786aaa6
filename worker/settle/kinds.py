"""The worker's column of the table of kinds: how the elements of each are settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.kinds import JobKind
from worker.settle.cancel_orders import CANCELLATIONS
from worker.settle.complete_orders import COMPLETIONS
from worker.settle.kind import Settling
from worker.settle.place_orders import ORDERS
from worker.settle.ship_orders import SHIPMENTS

SETTLING: Final[Mapping[JobKind, Settling[Any]]] = {
    JobKind.ORDERS: ORDERS,
    JobKind.COMPLETIONS: COMPLETIONS,
    JobKind.SHIPMENTS: SHIPMENTS,
    JobKind.CANCELLATIONS: CANCELLATIONS,
}
"""Every kind has its row."""
