"""However much one client sends, what another sends after it is decided soon."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.placed_orders import Shop
from tests.support.until import until
from tests.support.worker_process import running_worker

SHARE = 40
BATCHES = 20
MOST_BEFORE_OTHERS = SHARE + 60
"""Of the client that sends much: its share, and what gets on meanwhile of what is beyond."""

FAULTY: dict[str, Any] = {"products": [{}] * 25}


def send(shop: Shop, key: str, orders: int, prefer: str) -> None:
    answer = shop.api.post({f"k{n}": FAULTY for n in range(orders)}, Prefer=prefer, API_Authorization=key)
    assert answer.status_code == 202


def undecided(shop: Shop) -> int:
    return int(shop.api.rows("SELECT count(*) FROM slices WHERE closed_at IS NULL")[0][0])


@pytest.mark.parametrize(
    ("orders", "prefer", "lane"),
    [
        (5, "wait=1", "orders.small"),
        (20, "wait=1", "orders.waited"),
        (20, "respond-async", "orders.large"),
    ],
)
def test_a_client_that_sends_much_does_not_keep_what_another_sends_after_it_undecided(
    shop: Shop, orders: int, prefer: str, lane: str
) -> None:
    # Nobody works before all is sent, so whoever waits is answered with the job, and soon.
    api = shop.api.with_settings(
        lane_share_orders=SHARE, small_max_orders=10, waited_slice_max_orders=10, max_wait_seconds=0.01
    )
    much, little = (api.new_key(name, "orders:write") for name in ("Much", "Little"))
    with_share = Shop(api, shop.context)
    for _ in range(BATCHES * 20 // orders):
        send(with_share, much, orders, prefer)
    send(with_share, little, orders, prefer)
    [of_little] = api.rows("SELECT max(id::text) AS job FROM jobs")
    lanes = api.rows("SELECT DISTINCT queue FROM slices WHERE job_id::text = :job", job=of_little.job)

    with running_worker(shop.api.settings):
        until(lambda: undecided(shop) == 0, "all are decided")

    assert [row.queue for row in lanes] == [lane]
    [before] = api.rows(
        "SELECT sum(order_count) AS orders FROM slices WHERE job_id::text <> :job AND closed_at <"
        " (SELECT max(closed_at) FROM slices WHERE job_id::text = :job)",
        job=of_little.job,
    )
    assert before.orders <= MOST_BEFORE_OTHERS
