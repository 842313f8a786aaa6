"""The composition root of the API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from flask import Flask

from api.capacity import Capacity, capacity_limits
from api.context import AppContext, app_context_of, set_app_context
from api.jobs.followers import Followers
from api.memory_budget import MemoryBudget
from api.middleware.access_log import add_access_log
from api.middleware.error_handlers import add_error_handlers
from api.middleware.rate_limit import close_rate_limit
from api.orders.accept_small import SmallBatches
from api.orders.backlog import Backlog
from api.orders.change_watch import ChangeWatch
from api.orders.keys_in_flight import KeysInFlight
from api.routes import add_routes
from api.shutdown import Shutdown
from api.web.responses import JsonResponse
from shared.breaker import Breaker
from shared.clock import utc_now
from shared.events import Listener
from shared.persistence.core.database import open_database
from shared.persistence.jobs.backlog import undecided
from shared.persistence.jobs.insert_many import insert_jobs
from shared.persistence.jobs.progress import find_job
from shared.persistence.orders.change_feed import newest_change
from shared.queue.job_queue import JobQueue

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.settings import Settings


# A look-up of a key takes half a millisecond; the third is for a probe.
_KEYS_POOL_SIZE: Final = 3


def create_app(settings: Settings, clock: Clock = utc_now) -> Flask:
    """Make the application of this process; call it after the fork.

    Nothing is connected yet: it also starts, and answers 503, while the servers behind are away.
    """
    app = Flask("ordermill", static_folder=None, template_folder=None)
    app.response_class = JsonResponse
    # A request must not wait for a broker that hangs: the scheduler dispatches what it could not.
    breaker = Breaker("dispatch", "batches are accepted, and dispatched by the scheduler")
    engine = open_database(settings, "api", needs_schema=True)
    queue = JobQueue(settings, breaker)
    listener = Listener(settings)
    context = AppContext(
        settings=settings,
        engine=engine,
        queue=queue,
        listener=listener,
        clock=clock,
        shutdown=Shutdown(),
        memory_budget=MemoryBudget(settings.memory_budget_bytes),
        capacity=Capacity(capacity_limits(settings)),
        keys_engine=open_database(settings, "api-keys", needs_schema=True, pool_size=_KEYS_POOL_SIZE),
        keys_in_flight=KeysInFlight(),
        followers=Followers(listener, partial(find_job, engine)),
        change_watch=ChangeWatch(partial(newest_change, engine)),
        small_batches=SmallBatches(partial(insert_jobs, engine), queue.dispatch),
        backlog=Backlog(partial(undecided, engine), settings.undecided_max_bytes, settings.lane_share_orders),
    )
    set_app_context(app, context)
    # The order matters: a request has its id before it can be refused.
    add_access_log(app)
    add_routes(app, context)
    add_error_handlers(app, context.memory_budget)
    return app


def shorten_waits(app: Flask, seconds: float) -> None:
    """Have every request that waits for outcomes answered within so many seconds: with a 202, at worst."""
    app_context_of(app).shutdown.announce(seconds)


def close_app(app: Flask) -> None:
    """Close what an application holds: connections and its thread. For a process that goes on without it."""
    context = app_context_of(app)
    close_rate_limit(app)
    context.listener.close()
    context.queue.close()
    context.engine.dispose()
    context.keys_engine.dispose()
