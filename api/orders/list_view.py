"""View of orders, GET /v1/orders: those that were made, newest first, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from flask import request

from api.web.errors import ApiError
from api.web.prefer import read_preferences
from api.web.query import bad_values, honoured, query_values, same_query
from api.web.responses import reserved_response
from shared.domain.order_list import PageTooLarge
from shared.domain.outcome import Fault
from shared.domain.reasons import PAGE_TOO_LARGE
from shared.persistence.core.as_of import as_of
from shared.persistence.orders.pages import find_orders
from shared.schemas.lists.orders import (
    OrderListQuery,
    order_cursor_text,
    order_filter,
    order_list_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from api.context import AppContext, RequestContext
    from shared.domain.order_list import OrderEdge, OrderFilter

# Measured: the rows, what is made of them, and the JSON, all of which are there at the same moment.
HELD_PER_BYTE: Final = 4


def list_orders(app: AppContext, context: RequestContext) -> Response:
    """A page of orders. A key that is limited to markets sees those of its markets."""
    strict = read_preferences(request.headers.get("Prefer", "")).strict
    settings = app.settings
    zone = ZoneInfo(settings.organisation_timezone)
    query = OrderListQuery(
        zone=zone,
        page_max=settings.orders_page_max,
        offset_max=settings.orders_offset_max,
        max_key_chars=settings.max_key_chars,
    )
    wanted = order_filter(query_values(query, request), context.caller.market_ids)
    if isinstance(wanted, Fault):
        raise bad_values([wanted])
    return reserved_response(
        app.memory_budget,
        lambda held: _page(app, wanted, zone, lambda json_bytes: held.reserve(HELD_PER_BYTE * json_bytes)),
        honoured(strict=strict),
    )


def _page(app: AppContext, wanted: OrderFilter, zone: ZoneInfo, reserve: Callable[[int], None]) -> bytes:
    settings = app.settings
    # Before the page: what is not in it must not be stamped before.
    moment = as_of(app.engine)
    page = find_orders(
        app.engine,
        wanted,
        most_lines=settings.orders_page_max_lines,
        most_bytes=settings.orders_page_max_bytes,
        reserve=reserve,
    )
    if isinstance(page, PageTooLarge):
        raise page_too_large(page)
    skipped, limit = wanted.offset, wanted.limit
    if skipped:
        # The platform's way: pages of numbers, which move while orders come in.
        previous: str | None = same_query(request, offset=max(skipped - limit, 0))
    else:
        previous = _at(page.previous)
    return order_list_json(page, zone, as_of=moment, previous=previous, next_=_at(page.next))


def _at(edge: OrderEdge | None) -> str | None:
    if edge is None:
        return None
    return same_query(request, without=("offset",), cursor=order_cursor_text(edge))


def page_too_large(page: PageTooLarge) -> ApiError:
    """Say of what a page would hold too much, and how many of its orders would do."""
    name = {"lines": "ordersPageMaxLines", "bytes": "ordersPageMaxBytes"}[page.what]
    told = f"these orders have more than {page.most} {page.what}, which is the limit {name}"
    way_out = f"ask for fewer at a time; of these, limit={page.fitting} would do"
    fault = Fault(PAGE_TOO_LARGE, "/limit", f"{told}; {way_out}", {"most": page.most})
    return ApiError(400, f"limit: {told}; {way_out}.", faults=[fault])
