"""How long slow clients are waited for, without waiting for them."""

from __future__ import annotations

import socket

import pytest

from api.server.timeouts import (
    BODY_FIRST_SECONDS,
    BODY_LEAST_BYTES_PER_SECOND,
    BodyPatience,
    HeadPatience,
    HeadTooSlowError,
    PatientUnreader,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_head_has_its_time_however_much_of_it_comes() -> None:
    clock = Clock()
    patience = HeadPatience(10, clock)

    clock.now += 6
    patience.note(6, 5000)

    assert patience.seconds_left() == pytest.approx(4)


def test_a_body_earns_time_by_what_comes_of_it_up_to_its_total() -> None:
    clock = Clock()
    patience = BodyPatience(100, clock)
    assert patience.seconds_left() == BODY_FIRST_SECONDS

    patience.note(8, 20 * BODY_LEAST_BYTES_PER_SECOND)
    assert patience.seconds_left() == pytest.approx(BODY_FIRST_SECONDS + 20 - 8)

    patience.note(1, 1_000_000_000)
    clock.now += 60
    assert patience.seconds_left() == pytest.approx(40)


def test_a_byte_a_second_is_over_soon_after_the_first_seconds() -> None:
    patience, seconds = BodyPatience(1_000_000, Clock()), 0
    while patience.seconds_left() > 0:
        patience.note(1, 1)
        seconds += 1

    assert seconds == BODY_FIRST_SECONDS + 1


def test_our_own_work_between_two_pieces_is_no_fault_of_the_senders() -> None:
    clock = Clock()
    patience = BodyPatience(100, clock)

    clock.now += 50

    assert patience.seconds_left() == BODY_FIRST_SECONDS


def test_reading_gives_up_when_patience_does_and_leaves_the_connection_as_it_was() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(7)
        unreader = PatientUnreader(ours, HeadPatience(0.05))
        theirs.send(b"POST")

        assert unreader.chunk() == b"POST"
        with pytest.raises(HeadTooSlowError):
            unreader.chunk()
        unreader.patience = BodyPatience(0.05)
        with pytest.raises(TimeoutError):
            unreader.chunk()
        assert ours.gettimeout() == 7
