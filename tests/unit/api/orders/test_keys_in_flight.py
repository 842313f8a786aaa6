"""An Idempotency-Key that is being stored: the same again waits for it, others do not."""

from __future__ import annotations

import threading

import pytest

from api.orders.keys_in_flight import KeysInFlight
from api.web.errors import ApiError


def test_the_same_key_again_waits_for_the_first_one_and_no_other_key_does() -> None:
    keys, entered, over = KeysInFlight(), threading.Event(), threading.Event()
    seen: list[str] = []

    def again() -> None:
        entered.set()
        with keys.alone(1, "k", 30):
            seen.append("again")
        over.set()

    with keys.alone(1, "k", 1):
        thread = threading.Thread(target=again)
        thread.start()
        assert entered.wait(10)
        with keys.alone(1, "other", 0), keys.alone(2, "k", 0), keys.alone(1, None, 0):
            seen.append("others")
        assert not over.is_set()
        seen.append("first")
    thread.join(10)

    assert seen == ["others", "first", "again"]


def test_a_key_that_stays_in_flight_is_409() -> None:
    keys = KeysInFlight()

    with keys.alone(1, "k", 1), pytest.raises(ApiError) as raised, keys.alone(1, "k", 0):
        pass

    assert raised.value.status == 409
    assert raised.value.headers["Retry-After"] == "1"


def test_a_key_is_let_go_of_whatever_becomes_of_its_request() -> None:
    keys = KeysInFlight()
    with pytest.raises(ZeroDivisionError), keys.alone(1, "k", 1):
        raise ZeroDivisionError

    with keys.alone(1, "k", 0):
        pass
