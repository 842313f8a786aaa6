"""GET /v1/orders: the orders that were made, newest first, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import request

from api.answers import answer
from api.parts import asking_key, parts
from api.prefer import read_preferences
from api.query import honoured, query_values, same_query
from api.refusal import Refusal
from shared.domain.order_list import OrderFilter, TooManyLines
from shared.domain.outcome import Fault
from shared.domain.reasons import PAGE_TOO_LARGE
from shared.persistence.order_list import find_orders
from shared.schemas.order_list import OrderListQuery, order_list_json

if TYPE_CHECKING:
    from flask import Response


def list_orders() -> Response:
    """A page of orders. A key that is limited to markets sees those of its markets."""
    strict = read_preferences(request.headers.get("Prefer", "")).strict
    settings = parts().settings
    zone = ZoneInfo(settings.organisation_timezone)
    query = OrderListQuery(
        zone=zone, page_max=settings.orders_page_max, offset_max=settings.orders_offset_max
    )
    wanted = _wanted(query_values(query, strict=strict))
    page = find_orders(parts().engine, wanted, settings.orders_page_max_lines)
    if isinstance(page, TooManyLines):
        raise _too_many_lines(page, wanted)
    skipped, limit = wanted.offset, wanted.limit
    body = order_list_json(
        page,
        zone,
        previous=same_query(offset=max(skipped - limit, 0)) if skipped else None,
        next_=same_query(offset=skipped + limit) if page.more else None,
    )
    return answer(body, headers=honoured(strict=strict))


def _wanted(values: dict[str, Any]) -> OrderFilter:
    return OrderFilter(
        limit=values["limit"],
        offset=values["offset"],
        number=values.get("order"),
        customer_id=values.get("customer_id"),
        created_from=values.get("newer_than"),
        created_before=values.get("older_than"),
        market_ids=asking_key().market_ids,
    )


def _too_many_lines(page: TooManyLines, wanted: OrderFilter) -> Refusal:
    told = f"these orders have more than {page.most} lines, which is the limit ordersPageMaxLines"
    way_out = f"ask for fewer than {wanted.limit} orders at a time"
    fault = Fault(PAGE_TOO_LARGE, "/limit", f"{told}; {way_out}", {"most": page.most})
    return Refusal(400, f"limit: {told}; {way_out}.", faults=[fault])
