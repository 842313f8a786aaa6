"""Every operation by its route, and the groups that they stand in. A route that is not here fails a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.openapi.jobs import JOBS
from api.openapi.orders import ORDERS
from api.openapi.service import SERVICE
from api.openapi.stock import STOCK

if TYPE_CHECKING:
    from api.openapi.operation import Operation

TAGS: Final = {
    "Orders": "Batches of orders, one order, and the orders that were made.",
    "Stock": "What is on the shelves, told and set.",
    "Jobs": "Every batch becomes a job: how far it is, and its outcomes.",
    "Service": "Limits, health, and this description.",
}

OPERATIONS: Final[dict[str, Operation]] = {**ORDERS, **STOCK, **JOBS, **SERVICE}
"""By method and rule, as the table of routes writes them."""
