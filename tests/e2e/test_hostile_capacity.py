"""Many clients that wait, or send slowly, with nobody deciding anything: the others notice nothing of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key
from tests.support.api_process import open_api_process
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings
    from tests.support.api_process import Answer, ApiProcess

THREADS = 32
WAITERS = THREADS * 2 // 3
ORDER = b'{"a":{}}'


@pytest.fixture(scope="module")
def api(module_settings: Settings) -> Iterator[ApiProcess]:
    """No worker runs, which is what a stopped one comes to."""
    with open_api_process(module_settings, API_THREADS=str(THREADS)) as made:
        yield made


def median_seconds(api: ApiProcess, path: str) -> float:
    answers = [api.get(path) for _ in range(9)]
    assert {answer.status for answer in answers} == {200}
    return sorted(answer.seconds for answer in answers)[4]


def test_two_hundred_clients_that_wait_cost_nobody_else(api: ApiProcess) -> None:
    with ExitStack() as held:
        waiting = [held.enter_context(api.connected()) for _ in range(200)]
        for number, connection in enumerate(waiting):
            wish = "Prefer: wait=60" if number % 3 == 0 else "Accept: */*"
            connection.send(api.head(f"Content-Length: {len(ORDER)}", wish), ORDER)

        # Those that find no room are told so at once; the others wait.
        with ThreadPoolExecutor(200) as threads:
            answers = list(threads.map(shorten_waits, waiting))
        at_once = [answer for answer in answers if answer is not None]
        assert {(answer.status, answer.json.get("msg")) for answer in at_once} == {(202, None)}
        accepted = api.post(ORDER, "Prefer: respond-async")
        job = api.get(at_once[0].headers["Location"])
        probe = median_seconds(api, "/healthz")

        assert len(answers) - len(at_once) == min(WAITERS, 128)
        assert not any("Preference-Applied" in answer.headers for answer in at_once)
        assert (accepted.status, job.status) == (202, 200)
        assert accepted.seconds < 3
        assert probe < 0.1


def shorten_waits(connection: object) -> Answer | None:
    try:
        return connection.answer(8)  # type: ignore[attr-defined, no-any-return]  # a connection of ours, with its answer
    except TimeoutError:
        return None


def test_slow_bodies_of_one_key_leave_threads_to_others(api: ApiProcess) -> None:
    other = create_api_key(api.engine, "Others", ["orders:read"], None, None, utc_now())
    with ExitStack() as held:
        for _ in range(3 * THREADS):
            held.enter_context(api.connected()).send(api.head("Content-Length: 1000"), b"{")
        pause(0.5, "the heads have been read")
        answer = api.ask(api.head("Connection: close", method="GET", path="/v1/limits", key=other))

    assert answer.status == 200
    # A slow body is given ten seconds.
    assert answer.seconds < 5
    limits = answer.json
    assert limits["requestsMaxPerKey"] < THREADS - WAITERS
    assert limits["waitersMaxPerKey"] == WAITERS
