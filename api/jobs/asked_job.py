"""GET /v1/jobs/<id>: the job at once, when it is done or has changed, or as a stream of events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from flask import Response, request

from api.jobs.event_stream import event_stream
from api.jobs.responses import job_shown
from api.jobs.versions import version_of
from api.web.media_type import EVENTS, JSON, preferred
from api.web.prefer import read_preferences

if TYPE_CHECKING:
    from api.context import AppContext, RequestContext
    from api.jobs.versions import JobVersion
    from shared.domain.job import Job

# Nobody holds that many tags of one job; a longer list says nothing.
_TAGS_CHARS_MAX: Final = 1_000
# How soon a process that is to stop is noticed.
_TURN_SECONDS: Final = 1.0


def job_asked_for(app: AppContext, context: RequestContext, job: Job) -> Response | None:
    """Answer the present request with a job; None where it has gone while it was waited for.

    Raises ApiError (503) for a stream that there is no room for. A wait that there is no room for is none.
    """
    version = version_of(job)
    if preferred(request, (JSON, EVENTS)) == EVENTS:
        return event_stream(app, context, version)
    wait_seconds = read_preferences(request.headers.get("Prefer", "")).wait_seconds
    headers = {"Vary": "Accept, Prefer"}
    if wait_seconds is not None:
        seconds = min(wait_seconds, app.settings.max_wait_seconds)
        waits = seconds > 0 and _is_waited_for(version)
        if not waits or (context.permit is not None and context.permit.begin_following()):
            headers["Preference-Applied"] = f"wait={seconds:g}"
        if waits and "Preference-Applied" in headers:
            latest = _wait(app, version, seconds)
            if latest is None:
                return None
            version = latest
    response = Response(status=304) if _is_known(version) else job_shown(app.memory_budget, version)
    response.headers.update(headers)
    response.set_etag(version.tag)
    return response


def _wait(app: AppContext, version: JobVersion, seconds: float) -> JobVersion | None:
    """Wait for the version that is waited for, no longer than this process goes on; give the latest."""
    until = time.monotonic() + seconds
    latest: JobVersion | None = version
    with app.followers.following(version) as followed:
        while latest is not None and _is_waited_for(latest):
            left = app.shutdown.bounded(until) - time.monotonic()
            if left <= 0:
                break
            latest = followed.other_than(_is_waited_for, min(left, _TURN_SECONDS))
    return latest


def _is_waited_for(version: JobVersion) -> bool:
    """Whether another version is waited for: with tags, one that the client has not; else, the last."""
    if version.job.done:
        return False
    return _is_known(version) if _has_tags() else True


def _is_known(version: JobVersion) -> bool:
    """Whether the client says that it has this version."""
    return _has_tags() and request.if_none_match.contains_weak(version.tag)


def _has_tags() -> bool:
    return 0 < len(request.headers.get("If-None-Match", "")) <= _TAGS_CHARS_MAX
