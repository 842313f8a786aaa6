"""What was cancelled whole is stored once for all its keys, and told byte for byte as if each had its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from shared.persistence.core.database import transaction
from shared.persistence.jobs.slices import claim_slices
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told
from tests.support.settling import settle_slice

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

pytestmark = pytest.mark.usefixtures("nothing_is_broken")

KEYS = ("", "a\u0000b", 'q"\\', "Ö", "\u2028", "plain", "7")
_MANY = 60


def accepted(shop: Shop, batch: dict[str, Any], *, per: int = 2) -> tuple[str, list[int]]:
    """Have a batch accepted, in slices of so many orders; its job's path, and the slices."""
    api = shop.api.with_settings(slice_max_orders=per, small_max_orders=1)
    path = api.post(batch, Prefer="respond-async").headers["Location"]
    return path, [slice_id for slice_id, _, _ in shop.api.open_slices(path.rpartition("/")[2])]


def lamps(*keys: str) -> dict[str, Any]:
    return {key: order(line("BRASS-LAMP")) for key in keys}


def cancel(shop: Shop, path: str) -> TestResponse:
    return shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})


def cancelled_by_workers(shop: Shop, batch: dict[str, Any]) -> str:
    """Have each of a job's slices in a worker's hand when it is cancelled, so that each key's is written."""
    path, slice_ids = accepted(shop, batch)
    with transaction(shop.api.engine) as connection:
        assert claim_slices(connection, slice_ids) is not None
        cancel(shop, path)
    for slice_id in slice_ids:
        settle_slice(shop.context, slice_id)
    return path


def stored(shop: Shop, path: str) -> list[bytes]:
    return [
        bytes(row.outcomes)
        for row in shop.api.rows(
            f"SELECT outcomes FROM slices WHERE job_id = '{path.rpartition('/')[2]}' ORDER BY number"  # noqa: S608 - an id of ours
        )
    ]


def test_what_was_cancelled_unread_is_told_as_what_a_worker_wrote_key_by_key(shop: Shop) -> None:
    written = cancelled_by_workers(shop, lamps(*KEYS))
    path, _ = accepted(shop, lamps(*KEYS))

    cancel(shop, path)

    assert {one[:1] for one in stored(shop, written)} == {b"{"}
    assert {one[:1] for one in stored(shop, path)} == {b"["}
    assert shop.api.get(f"{path}/results").data == shop.api.get(f"{written}/results").data
    assert list(told(shop.api.get(f"{path}/results"))) == list(KEYS)


@pytest.mark.parametrize(
    "query", ["?status=no", "?reason=cancelled&limit=3", "?code=-7&after=2", "?include=order", "?status=ok"]
)
def test_what_was_cancelled_unread_is_chosen_like_all_others(shop: Shop, query: str) -> None:
    written = cancelled_by_workers(shop, lamps(*KEYS))
    path, _ = accepted(shop, lamps(*KEYS))

    cancel(shop, path)

    assert shop.api.get(f"{path}/results{query}").data == shop.api.get(f"{written}/results{query}").data


def test_what_was_cancelled_unread_is_told_in_pieces_after_what_was_decided(shop: Shop) -> None:
    # Each slice is a piece of its own, and larger than what is read at once.
    long = order(line("BRASS-LAMP"), extraAttributes={"note": "x" * 5_000})
    path, slice_ids = accepted(shop, {f"lamp {n}": long for n in range(_MANY)}, per=_MANY // 2)
    settle_slice(shop.context, slice_ids[0])
    before = shop.api.get(f"{path}/results").data

    cancel(shop, path)

    whole = shop.api.get(f"{path}/results")
    outcomes = orjson.loads(whole.data)
    assert whole.data.startswith(before[:-1] + b",")
    assert list(outcomes) == [f"lamp {n}" for n in range(_MANY)]
    assert [one["status"] for one in outcomes.values()] == ["ok"] * 30 + ["no"] * 30


def test_what_was_cancelled_unread_is_retried_as_it_was_sent(shop: Shop) -> None:
    path, _ = accepted(shop, lamps(*KEYS))
    cancel(shop, path)

    again = shop.api.client.post(
        f"{path}/retry",
        data=b"{}",
        headers={
            "API-Authorization": shop.api.key,
            "Content-Type": "application/json",
            "Prefer": "respond-async",
        },
    )

    outcomes = shop.settled(again.headers["Location"])
    assert list(outcomes) == list(KEYS)
    assert {one["status"] for one in outcomes.values()} == {"ok"}


def test_nothing_of_what_was_sent_is_read_to_cancel_it(shop: Shop) -> None:
    path, _ = accepted(shop, lamps(*KEYS))
    with shop.api.engine.begin() as connection:
        # Whoever reads such a body finds no JSON.
        connection.exec_driver_sql("UPDATE slices SET body = 'unread' WHERE closed_at IS NULL")

    job = told(cancel(shop, path))

    assert (job["state"], job["cancelled"]) == ("cancelled", len(KEYS))
    with shop.api.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
