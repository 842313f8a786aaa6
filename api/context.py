"""Contexts: what a view is given of the process (AppContext), and of the present request (RequestContext)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import uuid6
from flask import g

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from sqlalchemy import Engine

    from api.capacity import Capacity, Permit
    from api.jobs.followers import Followers
    from api.memory_budget import MemoryBudget
    from api.orders.accept_small import SmallBatches
    from api.orders.backlog import Backlog
    from api.orders.change_watch import ChangeWatch
    from api.orders.keys_in_flight import KeysInFlight
    from api.shutdown import Shutdown
    from shared.clock import Clock
    from shared.events import Listener
    from shared.persistence.access.keys import ApiKey
    from shared.queue.job_queue import JobQueue
    from shared.settings import Settings

_NAME = "ordermill"
# What can stand in a header, a log line and a database column as it is.
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")


@dataclass(frozen=True, kw_only=True)
class AppContext:
    """What the API works with, one of each in a process."""

    settings: Settings
    engine: Engine
    queue: JobQueue
    listener: Listener
    clock: Clock
    shutdown: Shutdown
    memory_budget: MemoryBudget
    capacity: Capacity
    keys_engine: Engine
    """A few connections that no request holds for longer than a look-up takes."""
    small_batches: SmallBatches
    backlog: Backlog
    keys_in_flight: KeysInFlight
    followers: Followers
    change_watch: ChangeWatch


@dataclass(frozen=True, kw_only=True)
class RateWindow:
    """How many requests the client has made in the present minute, and when that is over."""

    count: int
    seconds_left: int


@dataclass(kw_only=True)
class RequestContext:
    """What is known of the request that is being answered; its log line is made from it."""

    request_id: str
    started: float = field(default_factory=time.monotonic)
    api_key: ApiKey | None = None
    orders: int | None = None
    job_id: UUID | None = None
    request_hash: bytes | None = None
    rate: RateWindow | None = None
    permit: Permit | None = None

    @property
    def caller(self) -> ApiKey:
        """The key that asks; only for routes that need one."""
        if self.api_key is None:
            raise RuntimeError("this route is open, so nobody in particular is asking")
        return self.api_key


def set_app_context(app: Flask, context: AppContext) -> None:
    """Give an application its context."""
    app.extensions[_NAME] = context


def app_context_of(app: Flask) -> AppContext:
    """Give the context of an application; for whoever holds one: the server, and tests."""
    return cast("AppContext", app.extensions[_NAME])


def begin_request(presented_request_id: str) -> RequestContext:
    """Begin a request's context. Its id is the client's own when that is safe to repeat, else a new one."""
    safe = _SAFE_REQUEST_ID.fullmatch(presented_request_id)
    g.request_context = RequestContext(request_id=presented_request_id if safe else str(uuid6.uuid7()))
    return request_context()


def request_context() -> RequestContext:
    """Give the context of the present request; for middleware alone, which gives it to the view."""
    return cast("RequestContext", g.request_context)


def has_request_context() -> bool:
    """Whether the present request has got as far as to have one."""
    return "request_context" in g
