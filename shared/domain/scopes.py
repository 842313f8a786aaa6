"""Scopes: what an API key may be allowed to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

ORDERS_WRITE: Final = "orders:write"
ORDERS_READ: Final = "orders:read"
STOCK_WRITE: Final = "stock:write"
STOCK_READ: Final = "stock:read"
# A key sees its own jobs without any scope; this one opens everybody's.
JOBS_READ_ALL: Final = "jobs:read-all"

SCOPES: Final = frozenset({ORDERS_WRITE, ORDERS_READ, STOCK_WRITE, STOCK_READ, JOBS_READ_ALL})
"""Every scope there is."""


def unknown_scopes(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that are no scope, sorted and each once."""
    return sorted(set(names) - SCOPES)
