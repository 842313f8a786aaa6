"""What was sent takes little room, and is kept for BODIES_DAYS after the job's end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.persistence.jobs.kept_bodies import empty_bodies
from tests.support.old_jobs import ANY, accepted, done, grow_old
from tests.support.placed_orders import Shop, told
from tests.support.settling import settle_slice
from worker.maintenance.scheduler import periodic_tasks

if TYPE_CHECKING:
    from shared.settings import Settings


def kept(shop: Shop) -> list[tuple[bool, bool]]:
    """Of each job, oldest first: whether it says that its bodies are kept, and whether one is."""
    return [
        (row.bodies_kept, row.there)
        for row in shop.api.rows(
            "SELECT bodies_kept, EXISTS (SELECT FROM slices WHERE job_id = jobs.id AND body IS NOT NULL)"
            " AS there FROM jobs ORDER BY id"
        )
    ]


def test_a_batch_that_repeats_itself_takes_a_fraction_of_its_bytes(shop: Shop) -> None:
    shop.api.post({f"k{i}": {"products": [{}] * 100} for i in range(500)}, Prefer="respond-async")

    [row] = shop.api.rows(
        "SELECT sum(octet_length(body)) AS sent, sum(pg_column_size(body)) AS stored FROM slices"
    )
    assert row.stored * 10 < row.sent


def test_what_was_sent_goes_days_after_the_jobs_end_and_its_outcomes_stay(shop: Shop) -> None:
    path = done(shop)
    outcomes = shop.api.get(f"{path}/results").data

    grow_old(shop, 6.9)
    assert (empty_bodies(shop.api.engine, 7, ANY), kept(shop)) == (0, [(True, True)])
    grow_old(shop, 0.2)
    assert (empty_bodies(shop.api.engine, 7, ANY), kept(shop)) == (1, [(False, False)])

    assert empty_bodies(shop.api.engine, 7, ANY) == 0
    assert shop.api.get(f"{path}/results").data == outcomes
    assert told(shop.api.get(path))["state"] == "partially_succeeded"


def test_when_what_was_sent_goes_what_was_told_of_what_was_cancelled_stays(shop: Shop) -> None:
    shop = replace(shop, api=shop.api.with_settings(slice_max_orders=2, small_max_orders=1))
    path = accepted(shop)
    [first, _] = shop.api.open_slices()
    settle_slice(shop.context, first[0])
    shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})
    ways = ("", "?status=no", "?reason=cancelled&limit=1")
    before = [shop.api.get(f"{path}/results{way}").data for way in ways]

    grow_old(shop, 8)
    assert (empty_bodies(shop.api.engine, 7, ANY), kept(shop)) == (1, [(False, False)])

    assert b'"cancelled"' in before[0]
    assert [shop.api.get(f"{path}/results{way}").data for way in ways] == before


def test_what_is_undecided_keeps_what_was_sent_however_old(shop: Shop) -> None:
    accepted(shop)
    grow_old(shop, 29)

    assert (empty_bodies(shop.api.engine, 7, ANY), kept(shop)) == (0, [(True, True)])
    with pytest.raises(IntegrityError) as caught, shop.api.engine.begin() as connection:
        connection.execute(text("UPDATE slices SET body = NULL"))
    assert isinstance(caught.value.orig, CheckViolation)


def test_days_of_a_body_count_from_the_last_outcome(shop: Shop) -> None:
    path = accepted(shop)
    grow_old(shop, 10)
    shop.settled(path)

    assert empty_bodies(shop.api.engine, 7, ANY) == 0
    grow_old(shop, 7.1)
    assert empty_bodies(shop.api.engine, 7, ANY) == 1


def test_one_transaction_deletes_bodies_of_about_so_many_slices_and_one_job_at_least(shop: Shop) -> None:
    # Three slices each.
    shop = replace(shop, api=shop.api.with_settings(slice_max_orders=1))
    for _ in range(3):
        done(shop)
    grow_old(shop, 8)

    emptied = [empty_bodies(shop.api.engine, 7, 4) for _ in range(3)]

    assert emptied == [2, 1, 0]


def test_the_scheduler_deletes_old_bodies(shop: Shop, settings: Settings) -> None:
    done(shop)
    grow_old(shop, 8)

    tasks = periodic_tasks(shop.api.engine, shop.context.queue, settings)  # type: ignore[arg-type]  # the shop's context has a queue
    [emptying] = [one for one in tasks if one.name == "bodies"]
    emptying.run()

    assert kept(shop) == [(False, False)]
