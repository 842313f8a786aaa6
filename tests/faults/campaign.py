"""One campaign: start the mill, send and break for so long, heal, and judge."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text

from cli.servers import temporary_data_dir
from shared.clock import utc_now
from shared.persistence.api_keys import create_api_key
from shared.persistence.database import open_database
from shared.settings import Settings
from tests.faults.checks import Violation, broken_promises
from tests.faults.clients import Client, Poison
from tests.faults.goods import CATALOG, POISON
from tests.faults.journal import Journal
from tests.faults.mill import running_mill
from tests.faults.nemesis import CRASH_POINTS, Nemesis
from tests.faults.verdict import Verdict, judge, poisonous, read_world
from tests.integration.catalog_files import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.faults.mill import Mill

HEALING_SECONDS = 120.0
"""After the last fault; a backlog of many jobs takes its time on a small machine."""

_ROLES = ("api", "scheduler", "worker-1", "worker-2")
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
}
_UNDECIDED = text("SELECT count(*) FROM slices WHERE closed_at IS NULL")
_DURATIONS = text("""
    SELECT percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY took) FROM (
        SELECT extract(epoch FROM max(closed_at) - created_at) AS took
        FROM jobs JOIN slices ON slices.job_id = jobs.id GROUP BY jobs.id
    ) AS jobs
""")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done."""

    seconds: float
    seed: int
    clients: int = 4
    pause_seconds: float = 1.5
    """Between two faults, on average."""
    kinds: Sequence[str] = ()
    """Words of the kinds of faults that are done; none: all."""
    keep_in: Path | None = None
    """Where logs and the journal are left; None: nowhere."""


@dataclass
class Campaign:
    """What happened, and what was found."""

    plan: Plan
    faults: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    orders: int = 0
    repeated: int = 0
    lost_answers: int = 0
    poisonous: int = 0
    healed_seconds: float = 0.0
    job_seconds: list[float] = field(default_factory=list)
    """How long a job took: the median, the 99th of a hundred, and the longest."""
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def violations(self) -> list[Violation]:
        """All of them."""
        return self.verdict.violations


def run_campaign(plan: Plan) -> Campaign:
    """Run it. What it finds is in the result; what keeps it from running is raised."""
    with temporary_data_dir() as made:
        place = plan.keep_in or made
        permits = made / "permits"
        permits.mkdir()
        points = ",".join(f"{point}:die:{permits / point}" for point in CRASH_POINTS)
        armed = {"ORDERMILL_FAULT_POINTS": f"{points},after-claim:die::{POISON}"}
        with running_mill(Settings(), made, _ROLES, {**_SHORT, **armed}, logs=place) as mill:
            engine = open_database(mill.settings, "test")
            try:
                return _campaign(plan, mill, engine, permits, place)
            finally:
                engine.dispose()


def _campaign(plan: Plan, mill: Mill, engine: Engine, permits: Path, place: Path) -> Campaign:
    load(engine, CATALOG)
    key = create_api_key(engine, "Campaign", ["orders:write", "orders:read"], None, None, utc_now())
    journal, poison = Journal(place / "journal.jsonl"), Poison()
    clients = [Client(n, plan.seed, (mill.url, key), journal, poison) for n in range(plan.clients)]
    nemesis = Nemesis(
        mill, engine, plan.seed, permits=permits, poison=poison, pause_seconds=plan.pause_seconds
    )
    nemesis.only(plan.kinds)
    for thread in (*clients, nemesis):
        thread.start()
    _wait(mill, nemesis, plan.seconds)
    nemesis.over.set()
    nemesis.join()
    nemesis.heal()
    healing_from = time.monotonic()
    for client in clients:
        client.over.set()
    for client in clients:
        client.join()
    _await_all_decided(engine, healing_from + HEALING_SECONDS)
    campaign = Campaign(plan, healed_seconds=time.monotonic() - healing_from)
    mill.check()
    campaign.verdict = judge(journal.sent, read_world(engine), mill.url, key)
    campaign.violations[:0] = [*journal.violations, *broken_promises(engine)]
    _count(campaign, journal, nemesis, engine)
    journal.close()
    return campaign


def _wait(mill: Mill, nemesis: Nemesis, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        mill.check()
        if nemesis.fault is not None:
            raise RuntimeError("the nemesis has met one herself") from nemesis.fault
        time.sleep(0.2)


def _await_all_decided(engine: Engine, deadline: float) -> None:
    """Wait until no slice is undecided; what still is at the deadline is found by the checks."""
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if connection.execute(_UNDECIDED).scalar_one() == 0:
                return
        time.sleep(0.2)


def _count(campaign: Campaign, journal: Journal, nemesis: Nemesis, engine: Engine) -> None:
    campaign.faults = Counter(fault.kind for fault in nemesis.faults)
    campaign.batches = len(journal.sent)
    campaign.orders = sum(len(sent.wanted) for sent in journal.sent)
    campaign.repeated = sum(len(sent.request_ids) - 1 for sent in journal.sent)
    campaign.lost_answers = sum(sent.unknown for sent in journal.sent)
    campaign.poisonous = poisonous(journal.sent)
    with engine.connect() as connection:
        campaign.job_seconds = [float(took) for took in connection.execute(_DURATIONS).scalar_one() or ()]
