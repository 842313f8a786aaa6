"""Whether a worker or a scheduler does its work, as its signs in Redis tell."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from fakeredis import TcpFakeServer

from cli.commands.health import health, scheduler_problem, worker_problem
from shared.queue.job_queue import JobQueue
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def settings() -> Iterator[Settings]:
    server = TcpFakeServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield load_settings({"REDIS_URL": f"redis://127.0.0.1:{server.server_address[1]}/0"})
    server.shutdown()
    server.server_close()


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    with closing(JobQueue(settings)) as queue:
        yield queue


def test_worker_that_takes_messages_is_well(queue: JobQueue) -> None:
    queue.beat("celery@mill-1")

    assert worker_problem(queue, "mill-1") == ""


def test_worker_of_another_machine_says_nothing_of_this_one(queue: JobQueue) -> None:
    queue.beat("celery@mill-1")

    assert "no worker of mill-2" in worker_problem(queue, "mill-2")


def test_scheduler_that_has_swept_is_well(queue: JobQueue, settings: Settings) -> None:
    assert scheduler_problem(queue, settings) == "no scheduler has swept yet"

    queue.leave_canary()

    assert scheduler_problem(queue, settings) == ""


def test_broker_that_is_away_is_told_in_one_sentence() -> None:
    result = CliRunner().invoke(health, ["worker"], env={"REDIS_URL": "redis://127.0.0.1:1/0"})

    assert result.output == "Error: Not well: the broker cannot be reached.\n"
    assert result.exit_code == 2


def test_health_without_a_redis_says_which_variable_is_missing() -> None:
    result = CliRunner().invoke(health, ["scheduler"], env={"REDIS_URL": ""})

    assert "REDIS_URL" in result.output
    assert result.exit_code == 2
