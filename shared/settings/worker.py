"""Settings of the workers: how batches are cut, and how long each thing may take."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.setting import MIB, setting


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Settings of the workers: how batches are cut, and how long each thing may take."""

    small_max_orders: int = setting(
        25, "orders up to which a batch that is waited for goes first, each order a slice", minimum=0
    )
    small_max_bytes: int = setting(256 * 1024, "bytes up to which it does, however few orders", minimum=1024)
    waited_slice_max_orders: int = setting(
        25, "orders in a slice of a larger batch that is waited for", minimum=1
    )
    slice_max_orders: int = setting(50, "orders in any slice", minimum=1)
    slice_max_bytes: int = setting(256 * 1024, "bytes in a slice of several orders", minimum=1024)
    slice_max_lines: int = setting(500, "lines, as estimated, in a slice of several orders", minimum=1)
    slice_tries_max: int = setting(5, "tries of a slice in one task while faults are transient", minimum=1)
    slice_attempts_max: int = setting(5, "times that a slice may kill its worker, whole and alone", minimum=1)
    settle_max_bytes: int = setting(
        8 * MIB, "orders that one transaction settles; a larger slice is cut up", minimum=1024
    )
    settle_max_lines: int = setting(10_000, "lines of orders up to which slices share one", minimum=1)
    order_limit_seconds: float = setting(
        10.0, "processor time for reading and deciding one order; beyond it is given up", minimum=0.1
    )
    max_lines: int = setting(5_000, "lines in one order", minimum=1)
    worker_processes: int = setting(2, "prefork children of one Celery worker", minimum=1)
    task_limit_seconds: int = setting(
        60,
        "hard limit of a message, the last resort; its slices stop by themselves at three quarters",
        minimum=5,
    )
    worker_grace_seconds: int = setting(20, "how long a stopping worker lets slices finish", minimum=1)
    worker_silence_seconds: float = setting(
        30.0, "how long a worker may take no messages before it is replaced", minimum=2
    )
    organisation_timezone: str = setting("UTC", "the zone of dates that name none")
    confirm_orders: bool = setting(False, "confirm orders by e-mail that do not say sendEmail")
