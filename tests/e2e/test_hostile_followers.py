"""Many clients follow jobs, or ask for results and read nothing: the others notice nothing of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key
from tests.support.api_process import open_api_process
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings
    from tests.support.api_process import ApiProcess, Connection

ORDER = b'{"a":{}}'
FOLLOWERS = 80
OF_ONE_CLIENT = 64


@pytest.fixture(scope="module")
def api(module_settings: Settings) -> Iterator[ApiProcess]:
    """No worker runs, so no job ends; what is said by default is what is tried."""
    with open_api_process(module_settings, FOLLOW_SECONDS_MAX="30") as made:
        yield made


def head_of(connection: Connection) -> bytes:
    """The first line of an answer that goes on."""
    connection.socket.settimeout(30)
    while b"\r\n" not in connection.unread:
        connection.unread += connection.socket.recv(1 << 16)
    return connection.unread.partition(b"\r\n")[0]


def follow(api: ApiProcess, held: ExitStack, path: str, key: str) -> Connection:
    connection = held.enter_context(api.connected())
    connection.send(api.head("Accept: text/event-stream", method="GET", path=path, key=key))
    return connection


def test_as_many_follow_as_there_is_room_for_and_cost_nobody_else(api: ApiProcess) -> None:
    path = api.post(ORDER, "Prefer: respond-async").headers["Location"]
    reader = create_api_key(api.engine, "Reader", ["jobs:read-all"], None, None, utc_now())
    with ExitStack() as held:
        own = [head_of(follow(api, held, path, api.key)) for _ in range(OF_ONE_CLIENT + 3)]
        others = [head_of(follow(api, held, path, reader)) for _ in range(FOLLOWERS - OF_ONE_CLIENT + 3)]

        accepted = api.post(ORDER, "Prefer: respond-async")
        waited = api.post(ORDER, "Prefer: wait=1")
        job = api.get(path)
        probes = sorted(api.get("/healthz").seconds for _ in range(9))

    assert [line.split()[1] for line in own].count(b"200") == OF_ONE_CLIENT
    assert [line.split()[1] for line in others].count(b"200") == FOLLOWERS - OF_ONE_CLIENT
    assert {line.split()[1] for line in own + others} == {b"200", b"503"}
    assert (accepted.status, waited.status, job.status) == (202, 202, 200)
    assert waited.headers["Preference-Applied"] == "wait=1"
    assert probes[4] < 0.5


def test_who_stops_reading_a_stream_holds_nothing_for_ever(api: ApiProcess) -> None:
    path = api.post(ORDER, "Prefer: respond-async").headers["Location"]
    key = create_api_key(api.engine, "Deaf", ["jobs:read-all"], None, None, utc_now())

    def finds_room(held: ExitStack) -> bool:
        return b" 200 " in head_of(follow(api, held, path, key))

    with ExitStack() as held:
        # Of those before them, who have gone, the server hears when it has something to say to them.
        until(lambda: finds_room(held), "there is room", seconds=60, look_seconds=1)
        while finds_room(held):
            pass
        until(lambda: finds_room(held), "their time is over", seconds=60, look_seconds=1)
