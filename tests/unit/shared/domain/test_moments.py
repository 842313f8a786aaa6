"""Moments told in a zone, up to both ends of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.domain.moments import in_zone

STOCKHOLM, LOS_ANGELES = ZoneInfo("Europe/Stockholm"), ZoneInfo("America/Los_Angeles")


def test_a_moment_is_told_with_the_zones_own_clock() -> None:
    told = in_zone(datetime(2027, 1, 31, 23, 30, tzinfo=UTC), STOCKHOLM)

    assert told.isoformat() == "2027-02-01T00:30:00+01:00"


@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), STOCKHOLM),
        (datetime(1, 1, 1, tzinfo=UTC), LOS_ANGELES),
    ],
)
def test_a_moment_beyond_the_zones_calendar_stays_as_it_is(moment: datetime, zone: ZoneInfo) -> None:
    assert in_zone(moment, zone) == moment
