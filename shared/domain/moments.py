"""Moments as a zone tells them."""

from __future__ import annotations

from datetime import datetime, tzinfo


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The same moment as the zone tells it; unchanged where the calendar of the zone ends before it.

    The last hours of the year 9999, which people write for "never", are in the year 10000 further east, and
    the first hours of the year 1 in the year before it further west. Neither can be told there.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment
