"""GET /v1/jobs/<id>/results: those outcomes that are asked for, as what they are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import request

from api.jobs.chosen_outcomes import bodies_gone, chosen_by_run, last_of_page
from api.jobs.pieces import Pieces, pieces_response
from api.jobs.responses import retry_after
from api.jobs.results import outcomes_there, results_response
from api.jobs.results_formats import RESULTS_FORMATS, BareOutcome
from api.web.media_type import CSV, JSON, preferred
from api.web.query import bad_values, query_values, same_query
from shared.persistence.jobs.chosen_outcomes import choose_slices, has_bodies
from shared.schemas.lists.results import ResultsQuery, contradictions, outcome_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Response

    from api.context import AppContext
    from api.jobs.chosen_outcomes import ChosenOutcome
    from api.jobs.results_formats import ResultsFormat
    from shared.domain.job import Job


def results_asked_for(app: AppContext, job: Job) -> Response:
    """Answer the present request with outcomes of a job. Raises ApiError (400, 410, 503)."""
    media_type = preferred(request, list(RESULTS_FORMATS))
    values = query_values(ResultsQuery(max_orders=app.settings.max_orders), request)
    if faults := contradictions(values, errors_only=media_type == CSV):
        raise bad_values(faults)
    # The job was read before. So when it is done all outcomes are in what is read now.
    headers = {"Ordermill-Complete": "true" if job.done else "false", **retry_after(job)}
    if media_type == JSON and not values:
        return results_response(app, job.form, outcomes_there(app.engine, job), headers)
    return _chosen(app, job, values, media_type, headers)


def _chosen(
    app: AppContext, job: Job, values: dict[str, object], media_type: str, headers: dict[str, str]
) -> Response:
    wanted = outcome_filter(values)
    if media_type == CSV:
        wanted = replace(wanted, ok=False)
        headers["Content-Disposition"] = f'attachment; filename="{job.id}-errors.csv"'
    if "include" in values and not has_bodies(app.engine, job.id):
        way_out = "ask without include=order. The outcomes are still there."
        raise bodies_gone(app.settings.bodies_days, way_out)
    if isinstance(limit := values.get("limit"), int):
        found = choose_slices(app.engine, job.id, wanted, with_bodies=False)
        until = last_of_page(app.engine, found, wanted, limit)
        if until is not None:
            wanted = replace(wanted, until=until)
            headers["Link"] = f'<{same_query(request, after=until)}>; rel="next"'
    # A table for people shows whose order it is, as long as that is known.
    with_bodies = "include" in values or media_type == CSV
    found = choose_slices(app.engine, job.id, wanted, with_bodies=with_bodies)
    bare = media_type == JSON and not job.form.is_keyed
    written_as = BareOutcome() if bare else RESULTS_FORMATS[media_type]()
    pieces = Pieces(
        media_type=written_as.media_type,
        pieces=_written(written_as, chosen_by_run(app.engine, found, wanted)),
        largest_bytes=max(found.sizes, default=0),
    )
    return pieces_response(app, pieces, headers)


def _written(written_as: ResultsFormat, runs: Iterator[list[ChosenOutcome]]) -> Iterator[bytes]:
    """Write them so that what was read is let go of before the client takes what was written."""
    before = written_as.begin
    for piece in map(written_as.write, filter(None, runs)):
        yield before + piece
        before = b""
    yield before + written_as.end
