"""The Prefer header as RFC 7240 has it."""

from __future__ import annotations

import time

import pytest

from api.web.prefer import Preferences, Waiting, preference_applied, read_preferences, waiting_for


@pytest.mark.parametrize(
    ("header", "preferences"),
    [
        ("", Preferences()),
        ("respond-async", Preferences(respond_async=True)),
        ("Respond-Async", Preferences(respond_async=True)),
        ("wait=10", Preferences(wait_seconds=10)),
        ("wait=0", Preferences(wait_seconds=0)),
        ('wait="10"', Preferences(wait_seconds=10)),
        ("WAIT = 10", Preferences(wait_seconds=10)),
        ("respond-async, wait=10", Preferences(respond_async=True, wait_seconds=10)),
        ("respond-async;foo=bar;baz, wait=5; x", Preferences(respond_async=True, wait_seconds=5)),
        ("handling=strict", Preferences(handling="strict")),
        ('handling="lenient"', Preferences(handling="lenient")),
        ("handling=loose", Preferences()),
        ("return=minimal, depth-noroot, wait=3", Preferences(wait_seconds=3)),
        ('foo="a, wait=9", wait=3', Preferences(wait_seconds=3)),
        ('foo="a\\", wait=9", wait=3', Preferences(wait_seconds=3)),
        ("wait=3, wait=9", Preferences(wait_seconds=3)),
        ("wait=soon, wait=9", Preferences()),
        ("handling=strict, handling=lenient", Preferences(handling="strict")),
        ("wait=-1", Preferences()),
        ("wait=1.5", Preferences()),
        ("wait=\u0661", Preferences()),
        ("wait", Preferences()),
        ("wait=" + "9" * 900, Preferences(wait_seconds=10**9)),
        ("wait=3, x=" + "y" * 1_000, Preferences()),
        (", ,;, =, wait==3, @, wait=4", Preferences(wait_seconds=4)),
        ('wait="4', Preferences()),
        ('respond-async=""', Preferences(respond_async=True)),
        ("respond-async=no", Preferences()),
    ],
)
def test_a_prefer_header_is_read(header: str, preferences: Preferences) -> None:
    assert read_preferences(header) == preferences


# All that is looked at, and all that gunicorn lets through.
@pytest.mark.parametrize("size", [1_000, 32 * 4_096])
def test_a_prefer_header_costs_next_to_nothing_whatever_stands_in_it(size: int) -> None:
    def seconds() -> float:
        begun = time.thread_time()
        for piece in ('"', "\\", '"\\', '\\"', ",", ";", "=", " ", 'a="', "a=b;", "a=,"):
            for header in (
                (piece * size)[:size],
                ('a="' + piece * size)[:size],
                ("a=" + piece * size)[: size - 1] + "@",
            ):
                read_preferences(header)
        return time.thread_time() - begun

    # A busy machine makes one of them slow, not all.
    assert min(seconds() for _ in range(3)) < 0.1


@pytest.mark.parametrize(
    ("preferences", "total", "seconds", "wished"),
    [
        (Preferences(), 100, 25, False),
        (Preferences(), 101, 0, False),
        (Preferences(respond_async=True), 1, 0, False),
        (Preferences(wait_seconds=7), 1_000, 7, True),
        (Preferences(wait_seconds=7_000), 1, 60, True),
        (Preferences(wait_seconds=0), 1, 0, True),
        (Preferences(respond_async=True, wait_seconds=7), 1, 7, True),
    ],
)
def test_the_wait_follows_preference_and_size(
    preferences: Preferences, total: int, seconds: float, wished: bool
) -> None:
    waiting = waiting_for(
        preferences, total, sync_max_orders=100, sync_wait_seconds=25, max_wait_seconds=60.0
    )

    assert waiting == Waiting(seconds=seconds, wished=wished)


@pytest.mark.parametrize(
    ("header", "status", "applied"),
    [
        ("", 200, ""),
        ("respond-async", 202, "respond-async"),
        ("respond-async", 200, ""),
        ("wait=900", 200, "wait=60"),
        ("respond-async, wait=5", 202, "respond-async, wait=5"),
        ("wait=5, handling=strict", 200, "wait=5, handling=strict"),
    ],
)
def test_what_was_honoured_is_told(header: str, status: int, applied: str) -> None:
    preferences = read_preferences(header)
    waiting = waiting_for(preferences, 1, sync_max_orders=100, sync_wait_seconds=25, max_wait_seconds=60.0)

    assert preference_applied(preferences, waiting, status) == applied
