"""A promise whose commit fails was none: nobody is told of it, neither the client nor a worker."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from api.orders.accept_small import GROUP_BATCH_MAX_ORDERS
from shared.domain.slicing import SLICE_QUEUES
from shared.queue.job_queue import JobQueue
from tests.support.api import Door, open_door

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings


@pytest.fixture
def door(settings: Settings) -> Iterator[Door]:
    with open_door(settings) as opened:
        yield opened


def let_commits_fail(door: Door) -> None:
    """Everything up to the commit goes well, and the commit does not."""
    with door.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$;"
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )


@pytest.mark.parametrize("orders", [2, GROUP_BATCH_MAX_ORDERS + 1])
@pytest.mark.parametrize("prefer", ["respond-async", "wait=1"])
def test_a_commit_that_fails_is_no_acceptance_and_no_message(door: Door, prefer: str, orders: int) -> None:
    let_commits_fail(door)

    answer = door.post({f"k{number}": {} for number in range(orders)}, Prefer=prefer)

    assert answer.status_code >= 500
    assert door.job_count() == 0
    with closing(JobQueue(door.settings)) as queue:
        assert [queue.waiting(name) for name in SLICE_QUEUES] == [0, 0, 0]
