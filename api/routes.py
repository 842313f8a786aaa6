"""Routes: every path of the API, who may use it, and the view that answers it."""

from __future__ import annotations

from functools import partial, wraps
from itertools import chain
from typing import TYPE_CHECKING

from werkzeug.routing import IntegerConverter

from api.context import request_context
from api.docs.page import ASSETS
from api.jobs.change_views import cancel_job, delete_done_job
from api.jobs.list_view import list_jobs
from api.jobs.retry_view import retry_job
from api.jobs.views import show_job, show_results
from api.middleware.auth import (
    ANY_KEY,
    OPEN,
    authenticate,
    authorize,
    requires,
)
from api.middleware.concurrency import admit, keep_permit, release_permit
from api.middleware.rate_limit import limit_rate
from api.openapi.publication import Publication, asset
from api.orders.changes_view import list_changes
from api.orders.kinds import kind_routes
from api.orders.list_view import list_orders
from api.route import Route
from api.service.health import Readiness, healthz
from api.service.limits import show_limits
from api.stock import count_stock, list_stock
from api.web.query import check_query
from shared.domain.kinds import JobKind
from shared.schemas.lists.changes import ChangesQuery
from shared.schemas.lists.jobs import JobListQuery
from shared.schemas.lists.orders import OrderListQuery
from shared.schemas.lists.results import ResultsQuery
from shared.schemas.lists.stock import StockQuery
from shared.schemas.query import parameter_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from api.context import AppContext
    from api.middleware.auth import Permission
    from api.route import View


def routes() -> tuple[Route, ...]:
    """List the routes."""
    # It describes these very routes, so it asks for them once they are all there.
    published = Publication(routes)
    return (
        *chain.from_iterable(map(kind_routes, JobKind)),
        Route("GET", "/v1/orders", requires("orders:read"), list_orders, is_heavy=True, query=OrderListQuery),
        Route("GET", "/v1/orders/changes", requires("orders:read"), list_changes, query=ChangesQuery),
        Route("GET", "/v1/stock", requires("stock:read"), list_stock, is_heavy=True, query=StockQuery),
        Route("POST", "/v1/stock", requires("stock:write"), count_stock, is_heavy=True),
        Route("GET", "/v1/jobs", ANY_KEY, list_jobs, is_heavy=True, query=JobListQuery),
        Route("GET", "/v1/jobs/<job_id>", ANY_KEY, show_job),
        Route("DELETE", "/v1/jobs/<job_id>", requires("orders:write"), delete_done_job, is_heavy=True),
        Route("POST", "/v1/jobs/<job_id>/retry", requires("orders:write"), retry_job),
        Route("POST", "/v1/jobs/<job_id>/cancel", requires("orders:write"), cancel_job, is_heavy=True),
        Route("GET", "/v1/jobs/<job_id>/results", ANY_KEY, show_results, is_heavy=True, query=ResultsQuery),
        Route("GET", "/v1/limits", ANY_KEY, show_limits),
        Route("GET", "/healthz", OPEN, healthz),
        Route("GET", "/readyz", OPEN, Readiness().show),
        Route("GET", "/openapi.json", OPEN, published.document),
        Route("GET", "/docs", OPEN, published.page),
        *(Route("GET", f"/docs/{name}", OPEN, asset(name, kind)) for name, kind in ASSETS.items()),
    )


def _with_contexts(view: View, context: AppContext) -> Callable[..., Response]:
    """Give a view its contexts at each request: nothing below this looks them up."""

    # Flask-Limiter asks for its name.
    @wraps(view)
    def respond(**path: str | int) -> Response:
        return view(context, request_context(), **path)

    return respond


class AsciiNumber(IntegerConverter):
    """A number in a path: digits as everybody writes them, for werkzeug takes those of every script."""

    regex = "[0-9]+"


def add_routes(app: Flask, context: AppContext) -> None:
    """Add the routes to an application, each behind its permission; views are given the contexts."""
    # The path means itself: a redirect would answer with HTML, and lose the body of a POST.
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    app.url_map.converters["int"] = AsciiNumber
    table: dict[str, Permission] = {}
    heavy: set[str] = set()
    parameters: dict[str, tuple[str, ...]] = {}
    for route in routes():
        endpoint = f"{route.method} {route.rule}"
        table[endpoint] = route.permission
        if route.is_heavy:
            heavy.add(endpoint)
        if route.rule.startswith("/v1/"):
            parameters[endpoint] = parameter_names(route.query) if route.query is not None else ()
        app.add_url_rule(route.rule, endpoint, _with_contexts(route.view, context), methods=[route.method])
    # What is refused for its scope costs as much as what is not, so it counts.
    app.before_request(partial(authenticate, context, table))
    limit_rate(app, context)
    app.before_request(partial(authorize, table))
    app.before_request(partial(check_query, parameters))
    app.before_request(partial(admit, context.capacity, frozenset(heavy)))
    app.after_request(keep_permit)
    app.teardown_request(release_permit)
