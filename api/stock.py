"""Views of stock, GET and POST /v1/stock: listed, and set to what was counted."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from flask import request

from api.body.json_object import read_object
from api.web.errors import ApiError
from api.web.prefer import read_preferences
from api.web.query import bad_values, honoured, query_values, same_query
from api.web.responses import json_response, reserved_response
from shared.domain.backoff import Backoff
from shared.domain.outcome import Fault
from shared.domain.reasons import TOO_MANY
from shared.domain.stock_count import StockCount, StockSet
from shared.domain.stock_level import StockFilter
from shared.persistence.core.as_of import as_of
from shared.persistence.core.errors import DatabaseAwayError, TransientError
from shared.persistence.stock.counts import set_stock
from shared.persistence.stock.levels import find_stock
from shared.schemas.lists.stock import StockQuery, cursor_text, stock_list_json, warehouse_unknown
from shared.schemas.stock_count import read_counts, stock_set_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from api.context import AppContext, RequestContext
    from api.memory_budget import MemoryReservation

# Two that met in a deadlock must not meet again.
_BACKOFF = Backoff(first_seconds=0.1, jitter=0.5)

_log = structlog.get_logger(__name__)


def list_stock(app: AppContext, context: RequestContext) -> Response:
    """A page of items with their stock. A key that is limited to markets sees what is sold there."""
    strict = _strict()
    settings = app.settings
    query = StockQuery(zone=ZoneInfo(settings.organisation_timezone), page_max=settings.stock_page_max)
    values = query_values(query, request)
    wanted = StockFilter(
        limit=values["limit"],
        sku=values.get("sku"),
        ean=values.get("ean"),
        upc=values.get("upc"),
        item_id=values.get("stockItemId"),
        warehouse=values.get("warehouse"),
        modified_since=max(
            (values[name] for name in ("modified", "stock_modified") if name in values), default=None
        ),
        edge=values.get("cursor"),
        market_ids=context.caller.market_ids,
    )
    # Before the page: what is not in it must not be stamped before.
    moment = as_of(app.engine)
    page = find_stock(app.engine, wanted)
    if page is None:
        raise bad_values([warehouse_unknown(values["warehouse"])])
    body = stock_list_json(
        page,
        as_of=moment,
        previous=same_query(request, cursor=cursor_text(page.previous)) if page.previous else None,
        next_=same_query(request, cursor=cursor_text(page.next)) if page.next else None,
    )
    return json_response(app.memory_budget, body, headers=honoured(strict=strict))


def count_stock(app: AppContext, context: RequestContext) -> Response:
    """Set physical stock to what was counted, or change it.

    As on the platform, what could not be set is told in a 200 that says ``no``: the rest was set.
    """
    strict = _strict()
    # The body's memory is held until the answer, which repeats some of it, is sent: no room is no 503 after
    # the stock has been set.
    return reserved_response(
        app.memory_budget,
        lambda held: _set_and_told(app, context, held, strict=strict),
        honoured(strict=strict),
    )


def _set_and_told(
    app: AppContext, context: RequestContext, held: MemoryReservation, *, strict: bool
) -> bytes:
    settings = app.settings
    sent = read_object(
        request,
        settings,
        max_bytes=settings.stock_max_body_bytes,
        limit="stockMaxBodyBytes",
        reserve=held.reserve,
    )
    _check_rows(sent, settings.stock_max_rows)
    read = read_counts(sent, strict=strict)
    if isinstance(read, list):
        raise bad_values(read)
    done = _set_with_retries(app, context, read.counts)
    return stock_set_json(done, read.faults)


def _strict() -> bool:
    return read_preferences(request.headers.get("Prefer", "")).strict


def _check_rows(sent: dict[str, Any], most: int) -> None:
    rows = sent.get("products")
    if isinstance(rows, list) and len(rows) > most:
        told = f"has {len(rows)} counts; {most} are the most, which is the limit stockMaxRows"
        fault = Fault(TOO_MANY, "/products", told, {"count": len(rows), "most": most})
        raise ApiError(413, f"products: {told}; send them in several requests.", [fault])


def _set_with_retries(app: AppContext, context: RequestContext, counts: Sequence[StockCount]) -> StockSet:
    """Set, and again while that may help and nothing has been done: a change made twice would count twice."""
    tries = app.settings.stock_tries_max
    for attempt in range(1, tries + 1):
        try:
            return set_stock(app.engine, counts, context.caller.market_ids)
        except DatabaseAwayError:
            # The commit among them of which nobody knows whether it has happened.
            raise
        except TransientError as error:
            if attempt == tries:
                raise
            _log.info("stock_tried_again", attempt=attempt, reason=str(error))
            time.sleep(_BACKOFF.after(attempt, random.random()))  # noqa: S311 - not a secret
    raise RuntimeError("there is at least one try")
