"""A setting: a field with its meaning and its least value, and how it is read from a variable."""

from __future__ import annotations

from dataclasses import field
from typing import Any

MIB = 1024 * 1024


class SettingsError(Exception):
    """A variable has a value that cannot be used; the message names it and says what would do."""


def setting(default: Any, doc: str, *, minimum: float | None = None) -> Any:
    """Declare a setting: what it is unless set, what it means, and the least that it takes."""
    return field(default=default, metadata={"doc": doc, "minimum": minimum})


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_setting(name: str, raw: str, kind: type, minimum: float | None) -> Any:
    """Read the text of a variable as a value of this kind.

    Raises SettingsError naming the variable, its value and what would do.
    """
    if kind is bool:
        if raw.lower() not in _BOOLEANS:
            raise SettingsError(f"{name} is {raw!r}; it takes true or false.")
        return _BOOLEANS[raw.lower()]
    try:
        value = kind(raw)
    except ValueError:
        wanted = {int: "a whole number", float: "a number"}[kind]
        raise SettingsError(f"{name} is {raw!r}; it takes {wanted}.") from None
    if minimum is not None and not value >= minimum:
        raise SettingsError(f"{name} is {raw}; the least that it takes is {minimum}.")
    return value
