"""Backoff: how long to wait between tries, ever longer up to a most, with jitter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_STEPS_MOST: Final = 60
"""How often a pause grows. The exponent is bounded: a float has an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that grow by ``factor`` with each try, up to ``most_seconds``.

    ``jitter`` is the share of a pause by which luck makes it longer or shorter: what failed together must not
    come back together.
    """

    first_seconds: float
    most_seconds: float = math.inf
    factor: float = 2.0
    jitter: float = 0.0

    def after(self, tries: int, luck: float = 0.5) -> float:
        """Seconds to wait after so many tries, from 1. ``luck`` is from 0 to 1; at 0.5 it changes nothing."""
        whole = min(self.first_seconds * self.factor ** min(tries - 1, _STEPS_MOST), self.most_seconds)
        return jittered(whole, self.jitter, luck)

    def pauses(self) -> list[float]:
        """Pauses after the first try, the second and so on, without luck; the last stays for all others."""
        found: list[float] = []
        while len(found) <= _STEPS_MOST and (not found or found[-1] < self.most_seconds):
            found.append(self.after(len(found) + 1))
        return found


def jittered(seconds: float, share: float, luck: float) -> float:
    """The pause, longer or shorter by at most this share of it; ``luck`` is from 0 to 1."""
    return seconds * (1 + share * (2 * luck - 1))
