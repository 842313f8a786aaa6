"""Limits: what the API takes, and how long it waits (GET /v1/limits)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.capacity import capacity_limits
from api.web.responses import json_response

if TYPE_CHECKING:
    from flask import Response

    from api.context import AppContext, RequestContext
    from shared.settings import Settings


def show_limits(app: AppContext, _context: RequestContext) -> Response:
    """All limits of a batch and its job; the names are those that messages use."""
    return json_response(app.memory_budget, limits_of(app.settings))


def limits_of(settings: Settings) -> dict[str, float]:
    """Limits by name; each is the setting of that name, or what a process has room for."""
    capacity = capacity_limits(settings)
    return {
        "maxBodyBytes": settings.max_body_bytes,
        "maxOrders": settings.max_orders,
        "atomicMaxOrders": settings.atomic_max_orders,
        "atomicMaxBytes": settings.atomic_max_bytes,
        "maxOrderBytes": settings.max_order_bytes,
        "maxKeyChars": settings.max_key_chars,
        "maxNesting": settings.max_nesting,
        "maxLines": settings.max_lines,
        "syncMaxOrders": settings.sync_max_orders,
        "syncWaitSeconds": settings.sync_wait_seconds,
        "maxWaitSeconds": settings.max_wait_seconds,
        "requestsMaxPerKey": capacity.requests_max_per_client,
        "waitersMaxPerKey": capacity.waiters_max_per_client,
        "followersMaxPerKey": capacity.followers_max_per_client,
        "followSecondsMax": settings.follow_seconds_max,
        "ordersPageMax": settings.orders_page_max,
        "ordersOffsetMax": settings.orders_offset_max,
        "ordersPageMaxLines": settings.orders_page_max_lines,
        "ordersPageMaxBytes": settings.orders_page_max_bytes,
        "stockPageMax": settings.stock_page_max,
        "stockMaxRows": settings.stock_max_rows,
        "stockMaxBodyBytes": settings.stock_max_body_bytes,
        "rateLimitPerMinute": settings.rate_limit_per_minute,
        "undecidedMaxBytes": settings.undecided_max_bytes,
        "bodySecondsMax": settings.body_seconds_max,
        "retentionDays": settings.retention_days,
        "bodiesDays": settings.bodies_days,
    }
