"""A batch whose commit fails was not accepted: nobody is told of it, neither the client nor a worker."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text

from api.orders.accept_small import GROUP_BATCH_MAX_ORDERS
from shared.domain.slicing import SLICE_QUEUES
from shared.queue.job_queue import JobQueue
from tests.support.api import ApiClient


def let_commits_fail(api: ApiClient) -> None:
    """Everything up to the commit goes well, and the commit does not."""
    with api.engine.begin() as connection:
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
def test_a_commit_that_fails_is_no_acceptance_and_no_message(
    api: ApiClient, prefer: str, orders: int
) -> None:
    let_commits_fail(api)

    answer = api.post({f"k{number}": {} for number in range(orders)}, Prefer=prefer)

    assert answer.status_code >= 500
    assert api.job_count() == 0
    with closing(JobQueue(api.settings)) as queue:
        assert [queue.waiting(name) for name in SLICE_QUEUES] == [0] * len(SLICE_QUEUES)
