"""The rate limit: requests of a client in a minute, counted in Redis for all processes of the API together.

Flask-Limiter decides; this gives it a counter that costs one round trip, and that lets everybody in while
Redis is away: the limit protects the API from clients that run wild, and is no reason to refuse the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from limits.storage import RedisStorage

from api.context import RateWindow, request_context
from api.web.errors import ApiError
from api.web.responses import error_response
from shared.breaker import Breaker
from shared.client_rate import COUNT, WINDOW_SECONDS, rate_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from api.context import AppContext
    from api.memory_budget import MemoryBudget

# Of connecting and of an answer each: what a request may lose at most when Redis falls silent, twice this.
_REDIS_SECONDS: Final = 0.25


def limit_rate(app: Flask, context: AppContext) -> None:
    """Register the limit; what is registered before it has found out whose request it is."""
    most = context.settings.rate_limit_per_minute
    if not most:
        return
    limiter = Limiter(
        lambda: str(request_context().caller.client_id),
        application_limits=[f"{most}/minute"],
        strategy="fixed-window",
        storage_uri=f"{RequestCounter.STORAGE_SCHEME[0]}://",
        # Flask-Limiter knows numbers and strings as options, and hands on whatever it gets.
        storage_options=cast("dict[str, str | int]", {"redis_url": context.settings.redis_url}),
    )
    # An open route has no key to count for, and its probes must not depend on one more server.
    limiter.request_filter(lambda: request_context().api_key is None)
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, _exceeded(most, context.memory_budget))
    app.after_request(_tell(most))


def close_rate_limit(app: Flask) -> None:
    """Give the connections back."""
    for limiter in app.extensions.get("limiter", ()):
        limiter.storage.close()


class RequestCounter(RedisStorage):
    """Counts in one round trip, with the window's end in its answer; counts nothing while Redis is away."""

    STORAGE_SCHEME = ["ordermill"]  # noqa: RUF012 - the library's own declaration

    def __init__(self, _uri: str, redis_url: str, **options: Any) -> None:
        super().__init__(
            redis_url,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            **options,
        )
        self._count = self.get_connection().register_script(COUNT)
        self._breaker = Breaker("rate_limit", "requests are let in uncounted meanwhile")

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:  # noqa: ARG002 - there is one limit alone
        """Count, and remember the window for the answer's headers. 0 where there is nobody to count."""
        if not self._breaker.lets_try():
            return 0
        try:
            count, left_ms = self._count([rate_key(request_context().caller.client_id)], [expiry, amount])
        except self.base_exceptions as error:
            self._breaker.broke(type(error).__name__)
            return 0
        self._breaker.mended()
        request_context().rate = RateWindow(count=int(count), seconds_left=max(1, -(-int(left_ms) // 1000)))
        return int(count)

    def close(self) -> None:
        """Give the connections back."""
        self.storage.close()
        self.storage.connection_pool.disconnect()


def _exceeded(most: int, budget: MemoryBudget) -> Callable[[RateLimitExceeded], Response]:
    def respond_429(_: RateLimitExceeded) -> Response:
        window = request_context().rate
        seconds = window.seconds_left if window else WINDOW_SECONDS
        msg = (
            f"This client has made more than {most} requests within a minute, which is the limit "
            "rateLimitPerMinute; a voucher code that does not exist counts as one. Nothing was accepted. "
            f"Try again in {seconds} s."
        )
        return error_response(budget, ApiError(429, msg, headers={"Retry-After": str(seconds)}))

    return respond_429


def _tell(most: int) -> Callable[[Response], Response]:
    """Tell a client how far it may go. While Redis is away nobody knows, so nothing is told."""

    def tell(response: Response) -> Response:
        window = request_context().rate
        if window is not None:
            # The three integers of the draft's first six versions. Its later ones fold them into structured
            # fields, and have changed those since; what reads such headers today reads these.
            response.headers["RateLimit-Limit"] = str(most)
            response.headers["RateLimit-Remaining"] = str(max(0, most - window.count))
            response.headers["RateLimit-Reset"] = str(window.seconds_left)
        return response

    return tell
