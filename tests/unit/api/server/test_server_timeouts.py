"""How long slow clients are waited for, without waiting for them."""

from __future__ import annotations

import socket

import pytest
from gunicorn.http import errors

from api.server.timeouts import (
    BODY_FIRST_SECONDS,
    BODY_LEAST_BYTES_PER_SECOND,
    BodyDeadline,
    DeadlineUnreader,
    ResponseSocket,
    UnsentBytes,
    WholeHead,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_body_earns_time_by_what_comes_of_it_up_to_its_total() -> None:
    clock = Clock()
    deadline = BodyDeadline(100, clock)
    assert deadline.seconds_left() == BODY_FIRST_SECONDS

    deadline.note(8, 20 * BODY_LEAST_BYTES_PER_SECOND)
    assert deadline.seconds_left() == pytest.approx(BODY_FIRST_SECONDS + 20 - 8)

    deadline.note(1, 1_000_000_000)
    clock.now += 60
    assert deadline.seconds_left() == pytest.approx(40)


def test_a_byte_a_second_is_over_soon_after_the_first_seconds() -> None:
    deadline, seconds = BodyDeadline(1_000_000, Clock()), 0
    while deadline.seconds_left() > 0:
        deadline.note(1, 1)
        seconds += 1

    assert seconds == BODY_FIRST_SECONDS + 1


def test_our_own_work_between_two_pieces_is_no_fault_of_the_senders() -> None:
    clock = Clock()
    deadline = BodyDeadline(100, clock)

    clock.now += 50

    assert deadline.seconds_left() == BODY_FIRST_SECONDS


def test_reading_gives_up_when_its_time_is_over_and_leaves_the_connection_as_it_was() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(7)
        unreader = DeadlineUnreader(ours, BodyDeadline(5))
        theirs.send(b"POST")

        assert unreader.chunk() == b"POST"
        unreader.deadline = BodyDeadline(0.05)
        with pytest.raises(TimeoutError):
            unreader.chunk()
        unreader.deadline = WholeHead()
        with pytest.raises(errors.LimitRequestHeaders):
            unreader.chunk()
        assert ours.gettimeout() == 7


def answering(ours: socket.socket, room: UnsentBytes, seconds: float = 5) -> ResponseSocket:
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return ResponseSocket(ours, room, kept_max_bytes=100_000, response_seconds=seconds)


def test_an_answer_that_a_client_does_not_take_is_kept_and_holds_no_thread() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connected = answering(ours, UnsentBytes(1_000_000))
        connected.sendall(b"a" * 90_000)
        connected.sendall(b"b" * 5_000)
        assert connected.has_unsent

        taken = b""
        while len(taken) < 95_000:
            taken += theirs.recv(10_000)
            connected.flush()

    assert taken == b"a" * 90_000 + b"b" * 5_000
    assert not connected.has_unsent


def test_a_larger_answer_waits_for_its_client_for_no_longer_than_that() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        answering(ours, UnsentBytes(1_000_000), 0.05).sendall(b"a" * 2_000_000)


def test_responses_that_nobody_reads_share_one_bound() -> None:
    room = UnsentBytes(150_000)
    first, silent = socket.socketpair()
    second, quiet = socket.socketpair()
    with first, silent, second, quiet:
        ours = answering(first, room)
        ours.sendall(b"a" * 95_000)
        with pytest.raises(TimeoutError):
            answering(second, room).sendall(b"b" * 95_000)

        ours.close()

        assert room.reserve(150_000)
