"""An order as a client sends it, its lines and its address."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

ADDRESS: dict[str, Any] = {"country": "SE", "email": "eva@example.com"}


def line(sku: str = "BRASS-LAMP", qty: float = 1, **rest: Any) -> dict[str, Any]:
    """Make a line."""
    return {"sku": sku, "qty": qty, **rest}


def lines(*wanted: tuple[str, float]) -> list[dict[str, Any]]:
    """Make lines of SKUs and quantities."""
    return [line(sku, qty) for sku, qty in wanted]


def order(*products: dict[str, Any], email: str = ADDRESS["email"], **rest: Any) -> dict[str, Any]:
    """Make an order from Sweden, of one lamp unless told otherwise."""
    return deepcopy({"address": {**ADDRESS, "email": email}, "products": list(products) or [line()], **rest})
