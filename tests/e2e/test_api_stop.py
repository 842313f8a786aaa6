"""SIGTERM to ``ordermill api`` while requests wait: they are answered, and nobody else is let in to wait."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import psutil
from sqlalchemy import text

from shared.events import JobEvents
from shared.settings import Settings
from tests.support.api_process import Answer, ApiProcess, open_api_process
from tests.support.until import pause, until

GRACE_SECONDS = 6

HANGS_SECONDS = 60
"""Nothing that ends at all takes so long, even on a machine with other things to do."""
ORDER = b'{"a":{}}'


def await_jobs(api: ApiProcess, count: int) -> None:
    until(lambda: api.job_count() >= count, "the batches are stored", 20)


def await_closed(api: ApiProcess) -> None:
    """Wait until nobody is let in any more, while there are still those inside: soon, and not at the end."""

    def is_closed() -> bool:
        try:
            socket.create_connection(("127.0.0.1", api.port), timeout=2).close()
        except ConnectionRefusedError:
            return True
        return False

    until(is_closed, "nobody is let in", GRACE_SECONDS / 3)


def close_first_slice(api: ApiProcess) -> None:
    with api.engine.begin() as connection:
        row = connection.execute(
            text(
                "UPDATE slices SET started_at = now(), closed_at = now(), ok_count = 1, codes = '{}',"
                """ outcomes = convert_to('{"a":{"status":"ok","orders":[1]}}', 'UTF8')"""
                " WHERE id = (SELECT min(id) FROM slices) RETURNING job_id, number"
            )
        ).one()
    JobEvents(api.settings).announce(row.job_id, row.number)


def test_waiting_requests_are_answered_within_the_grace_and_no_others_are_let_in(settings: Settings) -> None:
    with (
        open_api_process(settings, API_GRACE_SECONDS=str(GRACE_SECONDS)) as api,
        ThreadPoolExecutor(8) as pool,
    ):
        waiting: list[Future[Answer]] = [pool.submit(api.post, ORDER, "Prefer: wait=60") for _ in range(6)]
        await_jobs(api, 6)
        with ExitStack() as held:
            silent = held.enter_context(api.connected())
            kept = held.enter_context(api.connected())
            kept.send(api.head(method="GET", path="/v1/limits"))
            assert kept.answer().status == 200

            told = time.monotonic()
            api.process.send_signal(signal.SIGTERM)
            await_closed(api)
            assert api.process.poll() is None
            close_first_slice(api)
            answers = [future.result(GRACE_SECONDS) for future in waiting]
            answered = time.monotonic() - told
            assert kept.ended()
            assert silent.ended()

        assert api.process.wait(5) == 0
        assert sorted(answer.status for answer in answers) == [200] + [202] * 5
        assert {answer.headers["Connection"] for answer in answers} == {"close"}
        assert answered < GRACE_SECONDS
        assert not any('"level": "error"' in line for line in api.log), api.log


def test_a_body_that_is_on_its_way_is_taken_to_its_end(settings: Settings) -> None:
    with open_api_process(settings, API_GRACE_SECONDS=str(GRACE_SECONDS)) as api, api.connected() as sending:
        sending.send(api.head("Content-Length: 8", "Prefer: respond-async"), ORDER[:4])
        pause(0.3, "the first half has come")
        api.process.send_signal(signal.SIGTERM)
        pause(0.7, "the API is stopping")
        sending.send(ORDER[4:])

        assert sending.answer().status == 202
        assert api.process.wait(HANGS_SECONDS) == 0
        assert api.job_count() == 1


def test_connections_that_came_before_the_end_are_served(settings: Settings) -> None:
    with open_api_process(settings, API_GRACE_SECONDS=str(GRACE_SECONDS)) as api, ExitStack() as held:
        [worker] = psutil.Process(api.process.pid).children()
        worker.send_signal(signal.SIGSTOP)
        knocking = [held.enter_context(api.connected()) for _ in range(10)]
        for connection in knocking:
            connection.send(
                api.head("Content-Length: 8", "Prefer: respond-async", "Connection: close"), ORDER
            )
        api.process.send_signal(signal.SIGTERM)
        pause(0.3, "the API is stopping")
        worker.send_signal(signal.SIGCONT)

        assert [connection.answer().status for connection in knocking] == [202] * 10
        assert api.process.wait(HANGS_SECONDS) == 0


def test_a_worker_that_is_replaced_leaves_its_callers_to_the_next(settings: Settings) -> None:
    with (
        open_api_process(settings, API_GRACE_SECONDS=str(GRACE_SECONDS)) as api,
        ThreadPoolExecutor(4) as pool,
    ):
        waiting = [pool.submit(api.post, ORDER, "Prefer: wait=60") for _ in range(3)]
        await_jobs(api, 3)
        api.process.send_signal(signal.SIGHUP)

        begun = time.monotonic()
        while time.monotonic() - begun < 2:
            assert api.post(ORDER, "Prefer: respond-async").status == 202
        assert [future.result(GRACE_SECONDS).status for future in waiting] == [202] * 3
