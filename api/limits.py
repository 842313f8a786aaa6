"""GET /v1/limits: what the door takes, and how long it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.answers import answer
from api.parts import parts

if TYPE_CHECKING:
    from flask import Response


def show_limits() -> Response:
    """All limits of a batch and its job; the names are those that messages use."""
    settings = parts().settings
    return answer(
        {
            "maxBodyBytes": settings.max_body_bytes,
            "maxOrders": settings.max_orders,
            "maxKeyChars": settings.max_key_chars,
            "maxNesting": settings.max_nesting,
            "maxLines": settings.max_lines,
            "syncMaxOrders": settings.sync_max_orders,
            "syncWaitSeconds": settings.sync_wait_seconds,
            "maxWaitSeconds": settings.max_wait_seconds,
            "retentionDays": settings.retention_days,
        }
    )
