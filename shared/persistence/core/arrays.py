"""Arrays of numbers as PostgreSQL reads them: the driver would look at each number for itself."""

from __future__ import annotations

from collections.abc import Iterable


def number_array(numbers: Iterable[object]) -> str:
    """An array of numbers, for a parameter that is cast to one; None stands for NULL."""
    return f"{{{','.join(['NULL' if one is None else str(one) for one in numbers])}}}"
