"""A worker's collector: it does not walk through a message's objects while they are being made."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from worker.collector import collect_rarely


@pytest.fixture(autouse=True)
def collector_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_a_full_message_is_read_and_decided_without_a_collection() -> None:
    gc.collect()
    collect_rarely()
    before = [generation["collections"] for generation in gc.get_stats()]

    made = [[n] for n in range(40_000)]

    assert [generation["collections"] for generation in gc.get_stats()] == before
    assert gc.isenabled()
    assert len(made) == 40_000
