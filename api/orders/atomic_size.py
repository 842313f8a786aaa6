"""The size of an atomic batch: it is settled in one transaction, and cannot be cut up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from shared.settings import Settings


def check_atomic_size(orders: Sequence[msgspec.Raw], settings: Settings) -> None:
    """Refuse (413) an atomic batch of more orders, or bytes, than one transaction should hold."""
    size_bytes = sum(map(len, orders))
    if len(orders) > settings.atomic_max_orders:
        over = f"{len(orders)} orders, and atomicMaxOrders is {settings.atomic_max_orders}"
    elif size_bytes > settings.atomic_max_bytes:
        over = f"orders of {size_bytes} bytes, and atomicMaxBytes is {settings.atomic_max_bytes}"
    else:
        return
    raise ApiError(
        413,
        f"The batch is to be atomic and has {over}; send it as several batches, or without atomic.",
    )
