"""The Prefer header (RFC 7240): what a client would like, and what of it was honoured."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Longest first: a run of anything that is neither a separator nor a quote, or a quoted string.
_ITEM = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+')
_PREFERENCE = re.compile(
    r"""\s*(?P<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)
        (?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[!#$%&'*+\-.^_`|~0-9A-Za-z]*)))?
        \s*(?:;.*)?$""",
    re.VERBOSE | re.DOTALL,
)
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
    ignored, and of one that is stated twice only the first counts.
    """
    stated: dict[str, str] = {}
    for item in _ITEM.findall(header):
        found = _PREFERENCE.match(item)
        if found:
            value = found["token"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
            stated.setdefault(found["name"].lower(), value)
    handling = stated.get("handling", "").lower()
    return Preferences(
        respond_async="respond-async" in stated and stated["respond-async"] == "",
        wait_seconds=_seconds(stated.get("wait", "")),
        handling=handling if handling in {"strict", "lenient"} else None,
    )


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
    """Decide how long to wait for the outcomes of ``total`` orders (CONTRACT 2).

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
