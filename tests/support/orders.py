"""An order as a client sends it, its line and its address."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

ADDRESS: dict[str, Any] = {"country": "SE", "email": "x@example.com"}


def line(sku: str = "BRASS-LAMP", qty: int = 1, **rest: Any) -> dict[str, Any]:
    """Make a line."""
    return {"sku": sku, "qty": qty, **rest}


def order(*lines: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Make an order from Sweden, of one lamp unless told otherwise."""
    return deepcopy({"address": ADDRESS, "products": list(lines) or [line()], **rest})
