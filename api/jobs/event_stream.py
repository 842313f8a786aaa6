"""A job as a stream of server-sent events: each of its versions that there is time for, and the last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from flask import Response, request

from api.web.errors import ApiError
from api.web.media_type import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.context import AppContext, RequestContext
    from api.jobs.versions import JobVersion

# Proxies end what is silent for long, and a client that has gone is only noticed when something is sent.
_COMMENT_SECONDS: Final = 15.0
# How soon a process that is to stop is noticed.
_TURN_SECONDS: Final = 1.0
_COMMENT: Final = b":\n\n"
# When an EventSource comes again after the end of a stream that was not told to be the last.
_AGAIN_MS: Final = 1_000


def event_stream(app: AppContext, context: RequestContext, version: JobVersion) -> Response:
    """Answer with the job's events from this version on. Raises ApiError (503) where too many follow."""
    last = request.headers.get("Last-Event-ID", "")
    if version.job.done and last == version.tag:
        # Nothing will ever follow: this is how an EventSource is told not to come again.
        return Response(status=204)
    if context.permit is None or not context.permit.begin_following():
        raise _no_room(app)
    response = Response(_events(app, version, last), mimetype=EVENTS)
    # nginx would keep the events until it has some kilobytes of them.
    response.headers["X-Accel-Buffering"] = "no"
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _events(app: AppContext, version: JobVersion, last: str) -> Iterator[bytes]:
    """Give events until the job is done, is no more, or its follower has had its time.

    ``last`` is the tag of the version that the follower has: nothing is skipped by it, for each event has all
    of the job.
    """
    until = time.monotonic() + app.settings.follow_seconds_max
    yield b"retry: %d\n\n" % _AGAIN_MS
    with app.followers.following(version) as followed:
        silent_since = time.monotonic()
        while (left := app.shutdown.bounded(until) - time.monotonic()) > 0:
            latest = followed.other_than(lambda one: one.tag == last, min(left, _TURN_SECONDS))  # noqa: B023 - called before the next turn
            if latest is None:
                return
            if latest.tag != last:
                yield _event(latest)
                if latest.job.done:
                    return
                last, silent_since = latest.tag, time.monotonic()
            elif time.monotonic() - silent_since >= _COMMENT_SECONDS:
                yield _COMMENT
                silent_since = time.monotonic()


def _event(version: JobVersion) -> bytes:
    # JSON as it is written here has no line of its own within.
    name = b"done" if version.job.done else b"progress"
    return b"event: %b\nid: %b\ndata: %b\n\n" % (name, version.tag.encode(), version.body)


def _no_room(app: AppContext) -> ApiError:
    limits = app.capacity.limits
    return ApiError(
        503,
        f"Too many follow jobs at once: {limits.followers_max_per_client} of one client, which is the limit "
        f"followersMaxPerKey, and {limits.followers_max} in all. Ask for the job now and then instead.",
        headers={"Retry-After": "5"},
    )
