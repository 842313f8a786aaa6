"""The options that a batch is sent with, read from its query."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import request

from api.web.query import bad_values, query_values
from shared.domain.batch_options import AS_USUAL, BatchOptions
from shared.domain.outcome import Fault
from shared.schemas.batch_options import OrderOptionsQuery, batch_options

if TYPE_CHECKING:
    from api.context import AppContext


def asked_options(app: AppContext) -> BatchOptions:
    """Give the options of the present request. Raises ApiError (400)."""
    # Most batches have none.
    if not request.args:
        return AS_USUAL
    # A parameter that the path does not take is refused before.
    query = OrderOptionsQuery(zone=ZoneInfo(app.settings.organisation_timezone), now=app.clock())
    options = batch_options(query_values(query, request))
    if isinstance(options, Fault):
        raise bad_values([options])
    return options
