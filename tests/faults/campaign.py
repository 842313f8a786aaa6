"""One campaign: start the stack, send and break for so long, heal, and judge."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redis import Redis

from cli.servers import temporary_data_dir
from tests.faults.clients import Client, Poison
from tests.faults.followers import Follower
from tests.faults.harm import Harm, harm_done
from tests.faults.hostile import HostileClients, p99
from tests.faults.job_client import JobClient
from tests.faults.journal import Journal
from tests.faults.nemesis import Nemesis
from tests.faults.ordermill import open_ordermill
from tests.faults.storekeeper import Storekeeper
from tests.faults.verdict import Verdict, poisonous
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.faults.checks import Violation
    from tests.faults.subject import Subject

    OpenSubject = Callable[[Path, Path, Path], AbstractContextManager[Subject]]
    """Takes a data directory, one for logs, and one for the permits of crash points."""

_TELL_SECONDS = 15.0
_JOB_CLIENTS = 2
_FOLLOWERS = 2


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
    without: Sequence[str] = ()
    """Words of kinds that are not."""
    hostile: bool = True
    """Whether clients that mean harm are among the others, every other while."""
    keep_in: Path | None = None
    """Where logs and the journal are left; None: nowhere."""


@dataclass
class Campaign:
    """What happened, and what was found."""

    plan: Plan
    faults: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    orders: int = 0
    counts: int = 0
    """Times that stock was counted anew."""
    repeated: int = 0
    lost_answers: int = 0
    poisonous: int = 0
    healed_seconds: float = 0.0
    """From the last fault until every client knew what came of each of its batches, or gave up."""
    job_seconds: list[float] = field(default_factory=list)
    """How long it took a client to know of a batch's end: the median, the 99th of a hundred, the longest."""
    lives: Counter[str] = field(default_factory=Counter)
    """What clients have done with their jobs, and asked of them."""
    hostile: Counter[str] = field(default_factory=Counter)
    """What clients that mean harm have done."""
    p99_seconds: dict[str, float | None] = field(default_factory=dict)
    """How long 99 of a hundred batches took at most ``beside`` such clients, and in ``peace`` from them."""
    harm: Harm = field(default_factory=Harm)
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def violations(self) -> list[Violation]:
        """All of them."""
        return self.verdict.violations

    @property
    def recovered_seconds(self) -> float | None:
        """How long it took after the last fault until everything was decided; None: it never was."""
        return None if self.harm.stuck_jobs else self.healed_seconds


def run_campaign(
    plan: Plan, open_subject: OpenSubject = open_ordermill, tell: Callable[[str], None] = lambda _: None
) -> Campaign:
    """Run it. What it finds is in the result; what keeps it from running is raised.

    ``tell`` is called with a line of progress now and then.
    """
    with temporary_data_dir() as made:
        logs = plan.keep_in or made
        permits = made / "permits"
        permits.mkdir()
        with open_subject(made, logs, permits) as subject:
            journal, poison = Journal(logs / "journal.jsonl"), Poison()
            nemesis = Nemesis(
                subject, plan.seed, journal, permits=permits, poison=poison, pause_seconds=plan.pause_seconds
            )
            nemesis.choose(plan.kinds, plan.without)
            try:
                return _campaign(plan, subject, journal, nemesis, poison, tell)
            finally:
                journal.close()


def _campaign(
    plan: Plan,
    subject: Subject,
    journal: Journal,
    nemesis: Nemesis,
    poison: Poison,
    tell: Callable[[str], None],
) -> Campaign:
    api = (subject.stack.url, subject.key)
    options = {"completes": subject.completes, "spells": subject.reads_spellings}
    clients = [Client(n, plan.seed, api, journal, poison, **options) for n in range(plan.clients)]
    followers: list[Follower] = []
    if subject.changes_jobs:
        numbers = range(plan.clients, plan.clients + _JOB_CLIENTS)
        clients += [JobClient(n, plan.seed, api, journal, poison, **options) for n in numbers]
        followers = [Follower(n, plan.seed, api, journal) for n in range(_FOLLOWERS)]
    keeper = Storekeeper(subject)
    hostile = None
    if plan.hostile and subject.hostile_key:
        hostile = HostileClients(subject.stack.url, subject.hostile_key)
    for thread in (*clients, *followers, keeper, nemesis):
        thread.start()
    if hostile:
        hostile.start()
    _wait(subject, journal, nemesis, plan.seconds, tell)
    if hostile:
        hostile.stop()
    nemesis.over.set()
    nemesis.join()
    nemesis.heal()
    healing_from = time.monotonic()
    for client in clients:
        client.stop(subject.healing_seconds)
    for client in clients:
        client.join()
    watching: list[Storekeeper | Follower] = [keeper, *followers]
    for one in watching:
        one.over.set()
        one.join()
    undecided = _await_all_decided(subject, healing_from + subject.healing_seconds)
    campaign = Campaign(plan, healed_seconds=time.monotonic() - healing_from, counts=keeper.times)
    subject.stack.check()
    tell(f"healed after {campaign.healed_seconds:.0f} s; now judging")
    campaign.harm = harm_done(journal.sent, subject, undecided)
    campaign.verdict = subject.judge(journal)
    _count(campaign, journal, nemesis)
    if hostile:
        campaign.hostile = hostile.done
        campaign.p99_seconds = _p99_seconds(journal, hostile)
    return campaign


def _p99_seconds(journal: Journal, hostile: HostileClients) -> dict[str, float | None]:
    took: dict[bool, list[float]] = {True: [], False: []}
    for sent in journal.sent:
        if sent.usual and sent.took_seconds is not None:
            took[hostile.were_at_it(sent.begun)].append(sent.took_seconds)
    return {"beside": p99(took[True]), "peace": p99(took[False])}


def _wait(
    subject: Subject, journal: Journal, nemesis: Nemesis, seconds: float, tell: Callable[[str], None]
) -> None:
    begun = time.monotonic()
    tell_at = begun + _TELL_SECONDS
    while (now := time.monotonic()) < begun + seconds:
        subject.stack.check()
        if nemesis.fault is not None:
            raise RuntimeError("the nemesis has met one herself") from nemesis.fault
        if now >= tell_at:
            tell_at += _TELL_SECONDS
            orders = sum(len(sent.wanted) for sent in tuple(journal.sent))
            tell(f"{now - begun:.0f} s: {len(nemesis.faults)} faults, {orders:,} orders sent")
        pause(0.2, "a pace of looking")


def _await_all_decided(subject: Subject, deadline: float) -> set[str]:
    """Wait until nothing is undecided, and give the keys of what still is at the deadline."""
    with Redis.from_url(subject.stack.settings.redis_url, socket_timeout=10) as redis:
        while (undecided := subject.undecided(redis)) and time.monotonic() < deadline:
            pause(0.2, "a pace of looking")
    return undecided


def _count(campaign: Campaign, journal: Journal, nemesis: Nemesis) -> None:
    batches = [sent for sent in journal.sent if sent.is_batch]
    campaign.faults = Counter(fault.kind for fault in nemesis.faults)
    campaign.batches = len(batches)
    campaign.orders = sum(len(sent.wanted) for sent in batches)
    campaign.lives = Counter(
        {
            "cancelled jobs": sum(sent.cancel_asked for sent in journal.sent),
            "retries": sum(sent.retry_of is not None and bool(sent.answers) for sent in journal.sent),
            "deleted jobs": sum(sent.deleted for sent in journal.sent),
            "ordered batches": sum(sent.options.ordered for sent in batches),
            "batches of unique keys": sum(sent.options.unique_keys for sent in batches),
            "batches with maxFailed": sum(sent.options.max_failed is not None for sent in batches),
            "batches with notBefore": sum(sent.options.not_before is not None for sent in batches),
            "dry runs": sum(sent.options.validate_only for sent in batches),
            "atomic batches": sum(sent.options.atomic for sent in batches),
            "followed jobs": len(journal.followed),
        }
    )
    campaign.repeated = sum(len(sent.request_ids) - 1 for sent in journal.sent)
    campaign.lost_answers = sum(sent.unknown for sent in journal.sent)
    campaign.poisonous = poisonous(journal.sent)
    took = sorted(sent.took_seconds for sent in batches if sent.usual and sent.took_seconds is not None)
    if took:
        campaign.job_seconds = [statistics.median(took), took[int(0.99 * (len(took) - 1))], took[-1]]
