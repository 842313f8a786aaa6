"""Settings of the scheduler: redispatch, and how long jobs are kept."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.setting import setting


@dataclass(frozen=True, kw_only=True)
class SchedulerSettings:
    """Settings of the scheduler: redispatch, and how long jobs are kept."""

    sweep_seconds: float = setting(2.0, "how often the scheduler looks for undecided slices", minimum=0)
    scheduler_silence_seconds: float = setting(
        60.0, "how long the scheduler may be kept by one thing before it is replaced", minimum=2
    )
    redispatch_first_seconds: float = setting(30.0, "how long a slice may wait before its next dispatch")
    redispatch_most_seconds: float = setting(300.0, "the most that this grows to, doubling each time")
    redispatch_most_slices: int = setting(
        500, "slices dispatched in one sweep, less the messages that wait already", minimum=1
    )
    redispatch_least_slices: int = setting(
        25, "those due longest that a sweep dispatches however many messages wait", minimum=1
    )

    prune_seconds: float = setting(60.0, "how often the scheduler prunes expired jobs", minimum=1)
    retention_days: int = setting(30, "how long jobs can be asked for", minimum=1)
    prepared_hours: float = setting(
        0.0,
        "after how many hours a prepared order that nobody has completed is cancelled; 0: never",
        minimum=0,
    )
    bodies_days: int = setting(7, "how long after a job's end what was sent is kept", minimum=1)
