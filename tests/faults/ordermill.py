"""ordermill as what a campaign is run against, with limits so short that much can happen in a minute."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import msgspec
from sqlalchemy import text

from shared.clock import utc_now
from shared.domain.slicing import SLICE_QUEUES
from shared.failpoints import POINTS
from shared.persistence.access.keys import create_api_key
from shared.persistence.core.database import open_database
from shared.queue.job_queue import KEY_PREFIX, SETTLE_SLICE
from shared.settings import Settings
from tests.faults.checks import violated_rules
from tests.faults.goods import CATALOG, COUNTED, COUNTED_UNITS, POISON
from tests.faults.job_checks import broken_tellings
from tests.faults.subject import Subject
from tests.faults.verdict import Verdict, judge
from tests.faults.world import read_world
from tests.support.catalog_files import load
from tests.support.queue_messages import double_and_shuffle
from tests.support.role_stack import running_role_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.faults.journal import Journal

_ROLES = ("api", "scheduler", "worker-1", "worker-2")
_SCOPES = ("orders:write", "orders:read", "stock:write", "stock:read")
# Short, so that what takes minutes in production happens many times in one.
_SHORT = {
    "WORKER_PROCESSES": "2",
    "SYNC_MAX_ORDERS": "10",
    "SYNC_WAIT_SECONDS": "4",
    "SLICE_MAX_ORDERS": "50",
    "SWEEP_SECONDS": "0.5",
    "REDISPATCH_FIRST_SECONDS": "1",
    "REDISPATCH_MOST_SECONDS": "8",
    "TASK_LIMIT_SECONDS": "15",
    "WORKER_SILENCE_SECONDS": "6",
    "WORKER_GRACE_SECONDS": "5",
    "API_GRACE_SECONDS": "5",
    "STATEMENT_LIMIT_SECONDS": "10",
    "LOCK_LIMIT_SECONDS": "5",
    "REDIS_LIMIT_SECONDS": "3",
    "DATABASE_CONNECT_SECONDS": "3",
    # One key stands for all clients here: what is measured is not who is sent away.
    "RATE_LIMIT_PER_MINUTE": "0",
}
_RECENT_SLICES = text("SELECT id, queue FROM slices ORDER BY id DESC LIMIT 200")
_UNDECIDED = text("SELECT body FROM slices WHERE closed_at IS NULL")
_KEYED = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Ordermill(Subject):
    """ordermill itself."""

    completes = True
    changes_jobs = True
    reads_spellings = True
    queues = tuple(f"{KEY_PREFIX}{name}" for name in SLICE_QUEUES)
    task = SETTLE_SLICE
    healing_seconds = 120.0

    def restock(self, client: httpx.Client) -> None:
        """Through its own API; an answer that is lost is nobody's loss."""
        for sku in COUNTED:
            [item] = client.get("/v1/stock", params={"sku": sku}).raise_for_status().json()["products"]
            counts = [
                {
                    "product": item["ean"],
                    "warehouse": house["name"],
                    "quantity": house["allocatedStock"] + COUNTED_UNITS,
                }
                for house in item["warehouses"]
                if house["name"] == "Main"
            ]
            client.post("/v1/stock", json={"products": counts}).raise_for_status()

    def double_messages(self, redis: Redis, chance: random.Random) -> bool:
        """Also for slices that have long been closed."""
        with self.engine.connect() as connection:
            recent = connection.execute(_RECENT_SLICES).all()
        chosen = chance.sample(recent, min(30, len(recent)))
        for queue in SLICE_QUEUES:
            double_and_shuffle(redis, queue, [row.id for row in chosen if row.queue == queue], chance)
        return bool(chosen)

    def undecided(self, redis: Redis) -> set[str]:  # noqa: ARG002 - what Redis holds decides nothing here
        """What the database holds as undecided."""
        with self.engine.connect() as connection:
            return {
                key for body in connection.execute(_UNDECIDED).scalars() for key in _KEYED.decode(bytes(body))
            }

    def judge(self, journal: Journal) -> Verdict:
        """Through SQL and through HTTP."""
        verdict = judge(journal.sent, read_world(self.engine), self.stack.url, self.key)
        told = broken_tellings(journal.sent, journal.followed)
        verdict.violations[:0] = [*journal.violations, *told, *violated_rules(self.engine)]
        return verdict


@contextmanager
def open_ordermill(place: Path, logs: Path, permits: Path) -> Iterator[Ordermill]:
    """Run one whose parts die at their crash points where somebody puts a permit."""
    points = ",".join(f"{point}:die:{permits / point}" for point in POINTS)
    armed = {"ORDERMILL_FAILPOINTS": f"{points},after-claim:die::{POISON}"}
    with running_role_stack(Settings(), place, _ROLES, {**_SHORT, **armed}, logs=logs) as stack:
        engine = open_database(stack.settings, "test")
        try:
            load(engine, CATALOG)
            key = create_api_key(engine, "Campaign", _SCOPES, None, None, utc_now())
            subject = Ordermill(stack, engine, key)
            subject.hostile_key = create_api_key(engine, "Hostile", _SCOPES, None, None, utc_now())
            yield subject
        finally:
            engine.dispose()
