"""View of changes, GET /v1/orders/changes: orders made or changed since, at once or when there are any."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from flask import request

from api.orders.list_view import HELD_PER_BYTE
from api.web.errors import ApiError
from api.web.prefer import read_preferences
from api.web.query import bad_values, honoured, query_values
from api.web.responses import reserved_response
from shared.domain.order_changes import ChangeFilter, ChangePage, NoPlace
from shared.persistence.orders.change_feed import find_changes
from shared.schemas.lists.changes import ChangesQuery, change_list_json, no_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from api.context import AppContext, RequestContext

# How soon a process that is to stop is noticed.
_TURN_SECONDS: Final = 1.0


def list_changes(app: AppContext, context: RequestContext) -> Response:
    """A page of changed orders. A key that is limited to markets is told of those of its markets."""
    strict = read_preferences(request.headers.get("Prefer", "")).strict
    settings = app.settings
    values = query_values(ChangesQuery(page_max=settings.orders_page_max), request)
    wanted = ChangeFilter(after=values["after"], limit=values["limit"], market_ids=context.caller.market_ids)
    until = time.monotonic() + min(values["wait"], settings.max_wait_seconds)
    zone = ZoneInfo(settings.organisation_timezone)
    return reserved_response(
        app.memory_budget,
        lambda held: change_list_json(
            _awaited(app, context, wanted, until, lambda size: held.reserve(HELD_PER_BYTE * size)), zone
        ),
        honoured(strict=strict),
    )


def _awaited(
    app: AppContext,
    context: RequestContext,
    wanted: ChangeFilter,
    until: float,
    reserve: Callable[[int], None],
) -> ChangePage:
    """The page, as soon as it has orders or the wait is over; a wait that there is no room for is none."""
    while True:
        page = _read(app, context, wanted, reserve)
        # What its markets do not see may be much, and is passed by portions.
        if page.orders or page.more or not _wait(app, context, page, until):
            return page
        wanted = ChangeFilter(after=page.cursor, limit=wanted.limit, market_ids=wanted.market_ids)


def _read(
    app: AppContext, context: RequestContext, wanted: ChangeFilter, reserve: Callable[[int], None]
) -> ChangePage:
    settings = app.settings
    with app.capacity.heavily(context.permit):
        page = find_changes(
            app.engine,
            wanted,
            most_lines=settings.orders_page_max_lines,
            most_bytes=settings.orders_page_max_bytes,
            reserve=reserve,
        )
    if page is NoPlace.BEGINS_ANEW:
        raise ApiError(
            503,
            "The feed of changes begins anew on another database server; read it from there in a moment.",
            headers={"Retry-After": "10"},
        )
    if isinstance(page, NoPlace):
        raise bad_values([no_place(page)])
    return page


def _wait(app: AppContext, context: RequestContext, page: ChangePage, until: float) -> bool:
    """Whether there is something behind a page before the wait is over."""
    while (left := app.shutdown.bounded(until) - time.monotonic()) > 0:
        if context.permit is None or not context.permit.begin_following():
            return False
        if app.change_watch.wait_beyond(page.cursor.place, min(left, _TURN_SECONDS)):
            return True
    return False
