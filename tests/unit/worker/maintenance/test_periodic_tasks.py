"""The scheduler's clock: what is due is done in turn, and what is long keeps nothing else waiting."""

from __future__ import annotations

import threading

from structlog.testing import capture_logs

from shared.queue.job_queue import QueueAwayError
from worker.maintenance.scheduler import PeriodicTask, keep_doing


def test_a_long_periodic_task_goes_on_at_once_and_lets_the_others_have_their_turn() -> None:
    done: list[str] = []
    backlog, stopping = [1, 1, 1], threading.Event()

    def short() -> int:
        done.append("short")
        return 5

    def long() -> int:
        done.append("long")
        if backlog:
            return backlog.pop()
        stopping.set()
        return 0

    keep_doing(
        [PeriodicTask("short", 1e-9, short), PeriodicTask("long", 3600, long, until_done=True)], stopping.wait
    )

    assert done == ["short", "long"] * 4


def test_a_periodic_task_that_found_nothing_waits_for_its_time() -> None:
    done: list[str] = []
    stopping = threading.Event()

    def often() -> int:
        done.append("often")
        if len(done) > 4:
            stopping.set()
        return 0

    def seldom() -> int:
        done.append("seldom")
        return 0

    keep_doing(
        [PeriodicTask("often", 1e-9, often), PeriodicTask("seldom", 3600, seldom, until_done=True)],
        stopping.wait,
    )

    assert done == ["often", "seldom", "often", "often", "often"]


def test_an_outage_is_told_once_and_does_not_end_the_clock() -> None:
    stopping = threading.Event()
    answers = iter([QueueAwayError("gone"), QueueAwayError("gone"), None, QueueAwayError("gone again"), None])

    def do() -> int:
        answer = next(answers, stopping)
        if answer is stopping:
            stopping.set()
        elif isinstance(answer, QueueAwayError):
            raise answer
        return 0

    with capture_logs() as logged:
        keep_doing([PeriodicTask("sweep", 1e-9, do)], stopping.wait)

    assert [(line["log_level"], line["reason"]) for line in logged] == [
        ("warning", "gone"),
        ("debug", "gone"),
        ("warning", "gone again"),
    ]
