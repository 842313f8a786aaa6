"""One API key cannot fill the disk with orders that nobody has decided yet (UNDECIDED_MAX_BYTES)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.persistence.jobs.backlog import undecided_bytes
from tests.support.placed_orders import ADDRESS, Shop, open_shop, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings

ORDER = {"address": ADDRESS, "products": [{"sku": "BRASS-LAMP", "qty": 1}], "comment": "x" * 3_000}
BATCH = {f"k{i}": ORDER for i in range(20)}


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    with open_shop(settings) as opened:
        yield opened


def test_a_key_with_too_much_undecided_is_told_429_and_others_are_not(shop: Shop) -> None:
    door = shop.door.with_settings(undecided_max_bytes=100_000)
    first = door.post(BATCH, Prefer="respond-async")

    refused = door.post(BATCH, Prefer="respond-async")
    other = door.post(BATCH, Prefer="respond-async", API_Authorization=door.new_key("Other", "orders:write"))

    assert (first.status_code, refused.status_code, other.status_code) == (202, 429, 202)
    assert int(refused.headers["Retry-After"]) >= 1
    assert "undecidedMaxBytes, which is 100000" in told(refused)["msg"]
    assert door.job_count() == 2
    assert told(door.get("/v1/limits"))["undecidedMaxBytes"] == 100_000


def test_what_was_decided_counts_no_more(shop: Shop) -> None:
    [key] = shop.door.rows("SELECT id FROM api_keys")
    path = shop.door.post(BATCH, Prefer="respond-async").headers["Location"]
    assert undecided_bytes(shop.door.engine, key.id) > 60_000

    shop.settled(path)

    assert undecided_bytes(shop.door.engine, key.id) == 0
    assert shop.door.with_settings(undecided_max_bytes=100_000).post(BATCH).status_code in {200, 202}
