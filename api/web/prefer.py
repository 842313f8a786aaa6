"""The Prefer header (RFC 7240): what a client would like, and what of it was honoured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from werkzeug.http import parse_list_header, parse_options_header, unquote_header_value

# RFC 7240 lets a server ignore what it does not want to honour; a preference that anybody needs is short.
_MOST_CHARS: Final = 1_000
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SECONDS = re.compile(r"[0-9]+")
# More than anybody may wait; keeps the conversion of a long run of digits short.
_MOST_DIGITS = 9


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """The preferences that are known here; ``None`` or false where the client has stated none.

    ``wait_seconds`` is what was asked for, not yet capped.
    """

    respond_async: bool = False
    wait_seconds: int | None = None
    handling: str | None = None

    @property
    def strict(self) -> bool:
        """Whether a field that nobody knows is an error."""
        return self.handling == "strict"


def read_preferences(header: str) -> Preferences:
    """Read a Prefer header, several of them joined by commas.

    As RFC 7240 wants it: names in any case, values bare or quoted, an unknown or malformed preference
    ignored, and of one that is stated twice only the first counts. A header of more than 1,000 characters is
    ignored as a whole. Each character is looked at a fixed number of times, whatever stands there.
    """
    stated: dict[str, str] = {}
    if len(header) <= _MOST_CHARS:
        for item in parse_list_header(header):
            preference, _ = parse_options_header(item)
            name, equals, value = (part.strip() for part in preference.partition("="))
            if _TOKEN.fullmatch(name) and (not equals or _is_value(value)):
                stated.setdefault(name.lower(), unquote_header_value(value))
    handling = stated.get("handling", "").lower()
    return Preferences(
        respond_async="respond-async" in stated and stated["respond-async"] == "",
        wait_seconds=_seconds(stated.get("wait", "")),
        handling=handling if handling in {"strict", "lenient"} else None,
    )


def _is_value(text: str) -> bool:
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return quoted or not text or _TOKEN.fullmatch(text) is not None


def _seconds(value: str) -> int | None:
    if not _SECONDS.fullmatch(value):
        return None
    return int(value) if len(value) <= _MOST_DIGITS else 10**_MOST_DIGITS


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How long a batch's client waits, and whether that is the client's own wish."""

    seconds: float
    wished: bool


def waiting_for(
    preferences: Preferences,
    total: int,
    *,
    sync_max_orders: int,
    sync_wait_seconds: float,
    max_wait_seconds: float,
) -> Waiting:
    """Decide how long to wait for the outcomes of ``total`` orders (contract §2).

    ``respond-async`` together with ``wait=N`` means "as a job when it takes longer than N seconds"
    (RFC 7240, section 4.3), so the wait comes first.
    """
    if preferences.wait_seconds is not None:
        return Waiting(seconds=min(preferences.wait_seconds, max_wait_seconds), wished=True)
    if preferences.respond_async or total > sync_max_orders:
        return Waiting(seconds=0, wished=False)
    return Waiting(seconds=sync_wait_seconds, wished=False)


def preference_applied(preferences: Preferences, waiting: Waiting, status: int) -> str:
    """Say what was honoured, as a Preference-Applied header; ``""`` when there was nothing to honour."""
    applied = []
    if preferences.respond_async and status == 202:  # noqa: PLR2004 - HTTP's Accepted
        applied.append("respond-async")
    if waiting.wished:
        applied.append(f"wait={waiting.seconds:g}")
    if preferences.handling:
        applied.append(f"handling={preferences.handling}")
    return ", ".join(applied)
