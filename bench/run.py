"""A run of the bench: how much of everything, the rivals, and what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.profile import Profile
from bench.rivals import CeleryPerOrder, CopyLimit, Direct, Limit, Ordermill, OverHttp

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much of everything: ``--quick`` or the long run."""

    rounds: int
    batch: int
    slow_batch: int
    """For the rivals that would take minutes over the batch."""
    scale: tuple[int, ...]
    singles: int
    seconds: float
    tens: int
    """Batches of ten, sent while nothing else runs."""
    big_job: int
    """Orders in the job beside which batches of ten are sent, too; 0: neither."""
    shaped: int
    """Orders in a batch of each shape, and lines in one of each length; 0: neither."""


QUICK = Size(
    rounds=3, batch=5_000, slow_batch=150, scale=(), singles=90, seconds=2.0, tens=0, big_job=0, shaped=0
)

LONG = Size(
    rounds=5,
    batch=10_000,
    slow_batch=1_000,
    scale=(1_000, 10_000, 100_000),
    singles=300,
    seconds=10.0,
    tens=100,
    big_job=100_000,
    shaped=10_000,
)


@dataclass(frozen=True)
class Figure:
    """Something measured several times, in its unit."""

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Goal:
    """A ratio of medians that must hold: at least, or at most, so much."""

    name: str
    ratio: float
    bound: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound


@dataclass
class Results:
    """All that one run has measured."""

    figures: list[Figure] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)

    def add(self, name: str, unit: str, values: Sequence[float]) -> Figure:
        """Keep a figure."""
        figure = Figure(name, unit, tuple(values))
        self.figures.append(figure)
        return figure


@dataclass
class Runners:
    """The rivals that are running."""

    limit: Limit
    direct: Direct
    celery: CeleryPerOrder
    ours: Ordermill
    ours_alone: Ordermill
    """With one worker process."""
    copy_limit: CopyLimit
    """After ``ours``: it writes again what that one wrote last."""

    @property
    def over_http(self) -> tuple[OverHttp, ...]:
        """Those that are servers."""
        return self.direct, self.celery, self.ours, self.ours_alone


class Seeds:
    """Seeds that no two batches share: customers are unique across the run."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self) -> int:
        """The next one."""
        self._next += 1
        return self._next
