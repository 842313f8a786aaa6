"""The clock, passed in so that a test can say what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, in UTC."""


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)
