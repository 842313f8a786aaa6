"""Delivery: what comes of handing a mail over, and when one that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait between tries: twice as long each time up to a most, and not for ever."""

    first_seconds: float
    most_seconds: float
    tries_max: int

    def after(self, tries: int, luck: float) -> float:
        """Seconds from the start of try ``tries`` (from 1) to the next.

        ``luck`` (0 to 1) spreads them by a quarter to either side: what failed together must not come back
        together.
        """
        # The exponent is bounded: a float has an end.
        whole = min(self.first_seconds * 2.0 ** min(tries - 1, 60), self.most_seconds)
        return whole * (0.75 + luck / 2)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The server has taken responsibility for the mail."""


@dataclass(frozen=True, slots=True)
class ClaimedElsewhere:
    """Another one has claimed the mail; nothing of it was sent here."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Certainly not handed over, and trying again may help."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bounced:
    """Certainly not handed over, and trying again fails the same."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Some of the mail was sent and nobody said what became of it: it is never sent again."""

    reason: str


Delivery = Delivered | ClaimedElsewhere | Deferred | Bounced | Unknown
