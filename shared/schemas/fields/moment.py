"""Moments: dates, and dates with times, as ISO 8601 and the platform write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow.exceptions import ValidationError

from shared.domain.outcome import quoted
from shared.domain.reasons import NOT_DATE
from shared.schemas.fields.base import ValueField, wrong

# Spelt out: Python would take "20270131512", and any character between the date and the time.
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{4}-W[0-9]{2}(-[0-9])?|[0-9]{4}W[0-9]{2}[0-9]?)"
    r"([T ][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]{1,9})?)?)?( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?)?"
)

_PLUS_LOST = re.compile(r".{10}T.{2,20} [0-9]{2}:?[0-9]{2}")


class Moment(ValueField):
    """A date, or a date and time, in its schema's ``zone`` unless it names one; gives a moment in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise _not_a_date(value)
        try:
            # Python knows of one blank, the first.
            day, clock = value[:11], value[11:]
            moment = datetime.fromisoformat(day + clock.replace(" ", ""))
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=getattr(self.root, "zone", UTC))
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise _not_a_date(value) from None


def _not_a_date(value: Any) -> ValidationError:
    lost = isinstance(value, str) and _PLUS_LOST.fullmatch(value)
    way_out = "; in a query string, a + is written %2B" if lost else ""
    text = f"{quoted(value)} is not a date; write 2027-01-31, '2027-01-31 12:00:00' or ISO 8601{way_out}"
    return wrong(NOT_DATE, text)
