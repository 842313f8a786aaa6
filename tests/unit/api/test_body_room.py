from __future__ import annotations

import pytest

from api.body_room import BodyRoom
from api.refusal import Refusal

MIB = 1 << 20


def test_what_does_not_fit_beside_the_others_is_503_and_may_come_again() -> None:
    room = BodyRoom(10 * MIB)
    with room.share() as first, room.share() as second:
        first(6 * MIB)
        second(4 * MIB)
        with pytest.raises(Refusal) as refused:
            second(1)

    assert refused.value.status == 503
    assert int(refused.value.headers["Retry-After"]) > 0
    with room.share() as again:
        again(10 * MIB)


def test_a_body_that_is_alone_fits_whatever_its_size() -> None:
    room = BodyRoom(MIB)

    with room.share() as alone:
        alone(5 * MIB)
        alone(5 * MIB)
        # A small one as well, though the room is more than full.
        with room.share() as small:
            small(1000)


def test_a_refused_body_gives_back_what_it_had_taken() -> None:
    room = BodyRoom(10 * MIB)
    with room.share() as first:
        first(6 * MIB)
        with room.share() as second:
            second(3 * MIB)
            with pytest.raises(Refusal):
                second(3 * MIB)
        with room.share() as third:
            third(4 * MIB)
