"""Delivery: what comes of handing a mail over, and when one that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses(Backoff):
    """The pauses from the start of one try of a mail to that of the next, and how many tries there may be."""

    tries_max: int
    jitter: float = 0.25


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
