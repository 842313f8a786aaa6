"""Requests of one key take turns at the threads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from api.server.heads import IncomingHead
from api.server.key_queues import QUEUED_MAX, KeyQueues, credentials


def request(key: str) -> Any:
    head = IncomingHead(line_max_bytes=4094, most_bytes=100_000)
    head.add(f"GET / HTTP/1.1\r\nHost: mill\r\nAPI-Authorization: {key}\r\n\r\n".encode())
    assert head.is_whole
    # By identity, like a connection.
    return type("Request", (SimpleNamespace,), {"__hash__": object.__hash__, "__eq__": object.__eq__})(
        head=head
    )


def test_a_key_has_so_many_threads_and_its_next_waits_for_one_of_them_alone() -> None:
    started: list[Any] = []
    queues = KeyQueues(started.append, 2)
    brass, red = [request("brass") for _ in range(4)], request("red")

    assert all(queues.add(one) for one in [*brass, red])
    assert started == [brass[0], brass[1], red]

    queues.end(red)
    assert len(started) == 3
    queues.end(brass[1])
    queues.end(brass[1])
    assert started[3:] == [brass[2]]
    queues.end(brass[0])
    assert started[4:] == [brass[3]]


def test_a_key_has_so_many_requests_that_wait_for_a_thread() -> None:
    queues = KeyQueues(lambda _: None, 1)

    assert all(queues.add(request("brass")) for _ in range(1 + QUEUED_MAX))
    assert not queues.add(request("brass"))
    assert queues.add(request("red"))


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("API-Authorization: om_a_b", b"om_a_b"),
        ("api-authorization:om_a_b ", b"om_a_b"),
        ("Authorization: bearer  om_a_b", b"om_a_b"),
        ("X-Authorization: om_a_b", b""),
        ("Accept: */*\r\n\r\nAuthorization: om_a_b", b""),
    ],
)
def test_a_key_is_the_same_however_it_is_shown(header: str, shown: bytes) -> None:
    assert credentials(f"GET / HTTP/1.1\r\n{header}\r\n\r\n".encode()) == shown
