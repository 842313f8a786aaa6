"""Jobs that grow old: a batch that is accepted or decided, and everything moved into the past."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.support.orders import ADDRESS

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop

LAMP = {"address": ADDRESS, "products": [{"ean": "7301", "qty": 1}]}
BATCH = {"a": LAMP, "b": LAMP, "c": {}}
ANY = 1_000


def accepted(shop: Shop, **headers: str) -> str:
    """Have a batch accepted; gives its job's path."""
    return shop.api.post(BATCH, Prefer="respond-async", **headers).headers["Location"]


def done(shop: Shop, **headers: str) -> str:
    """Have a batch decided; gives its job's path."""
    path = accepted(shop, **headers)
    shop.settled(path)
    return path


def grow_old(shop: Shop, days: float) -> None:
    """Let everything that is there have happened so many days earlier, but for the ids of jobs."""
    past = {"by": timedelta(days=days)}
    with shop.api.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE jobs SET created_at = created_at - :by, expires_at = expires_at - :by,"
                " started_at = started_at - :by, finished_at = finished_at - :by"
            ),
            past,
        )
        connection.execute(
            text("UPDATE slices SET started_at = started_at - :by, closed_at = closed_at - :by"), past
        )
