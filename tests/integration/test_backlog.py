"""One API key cannot fill the disk with orders that nobody has decided yet (UNDECIDED_MAX_BYTES)."""

from __future__ import annotations

from shared.domain.slicing import LARGE_QUEUE
from shared.persistence.jobs.backlog import undecided
from tests.support.orders import ADDRESS
from tests.support.placed_orders import Shop, told

ORDER = {"address": ADDRESS, "products": [{"sku": "BRASS-LAMP", "qty": 1}], "comment": "x" * 3_000}
BATCH = {f"k{i}": ORDER for i in range(20)}


def test_a_key_with_too_much_undecided_is_told_429_and_others_are_not(shop: Shop) -> None:
    api = shop.api.with_settings(undecided_max_bytes=100_000)
    first = api.post(BATCH, Prefer="respond-async")

    refused = api.post(BATCH, Prefer="respond-async")
    other = api.post(BATCH, Prefer="respond-async", API_Authorization=api.new_key("Other", "orders:write"))

    assert (first.status_code, refused.status_code, other.status_code) == (202, 429, 202)
    assert int(refused.headers["Retry-After"]) >= 1
    assert "undecidedMaxBytes, which is 100000" in told(refused)["msg"]
    assert api.job_count() == 2
    assert told(api.get("/v1/limits"))["undecidedMaxBytes"] == 100_000


def test_decided_orders_leave_the_backlog(shop: Shop) -> None:
    [client] = shop.api.rows("SELECT id FROM clients")
    path = shop.api.post(BATCH, Prefer="respond-async").headers["Location"]
    counted = undecided(shop.api.engine, client.id)
    assert list(counted) == [LARGE_QUEUE]
    assert counted[LARGE_QUEUE].size_bytes > 60_000
    # In KiB, for those are more than the orders.
    assert 58 <= counted[LARGE_QUEUE].weight <= 62

    shop.settled(path)

    assert undecided(shop.api.engine, client.id) == {}
    assert shop.api.with_settings(undecided_max_bytes=100_000).post(BATCH).status_code in {200, 202}
