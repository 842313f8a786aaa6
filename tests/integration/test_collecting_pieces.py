"""Waiting for a slice that was cut up: more slices close than were accepted, yet the answer is whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import pytest

from shared.events import JobEvents
from shared.persistence.core.database import transaction
from shared.persistence.jobs.slices import cut_up
from tests.support.api import ApiClient
from tests.support.settling import attempt_at, take_slice
from tests.support.until import pause, until

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


PATIENCE_SECONDS = 20


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    return api.with_settings(small_max_orders=1, waited_slice_max_orders=3, max_wait_seconds=PATIENCE_SECONDS)


@contextmanager
def waiting_for_three(api: ApiClient) -> Iterator[Future[TestResponse]]:
    """A client that waits for a batch of three orders, in one slice."""
    with ThreadPoolExecutor(1) as client:
        yield client.submit(api.post, {"a": {}, "b": {}, "c": {}}, Prefer=f"wait={PATIENCE_SECONDS}")


def cut_up_the_slice(api: ApiClient) -> None:
    """Do what happens to a slice that ended its worker too often."""
    found = until(api.open_slices, "the batch is stored")
    taken = take_slice(api.engine, attempt_at(found[0][0]))
    with transaction(api.engine) as connection:
        cut_up(connection, taken, [b'"%c":{}' % key for key in b"abc"])


def test_a_request_that_waits_is_answered_once_all_pieces_of_a_slice_are_closed(api: ApiClient) -> None:
    events = JobEvents(api.settings)
    with waiting_for_three(api) as answer:
        cut_up_the_slice(api)
        first, *others = api.open_slices()

        # One slice was accepted, and one has been closed.
        api.close_slice(first[0])
        events.announce(first[1], first[2])
        pause(0.5, "it would be answered by then")
        assert not answer.done()
        for slice_id, job_id, number in others:
            api.close_slice(slice_id)
            events.announce(job_id, number)

        assert answer.result().status_code == 200
    assert list(orjson.loads(answer.result().data)) == ["a", "b", "c"]
