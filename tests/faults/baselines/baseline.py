"""The baselines as what a campaign is run against: what Celery and Redis come to in an afternoon."""

from __future__ import annotations

import base64
import json
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import text

from shared.persistence.core.database import open_database
from shared.settings import Settings
from tests.faults.baselines.celery_app import CREATE_ORDER
from tests.faults.baselines.orders import allow_several_orders_per_key
from tests.faults.goods import CATALOG, COUNTED, COUNTED_UNITS
from tests.faults.job_checks import broken_tellings
from tests.faults.subject import Subject
from tests.faults.verdict import Verdict, count_answers
from tests.support.catalog_files import load
from tests.support.queue_messages import put_among
from tests.support.role_stack import RolePrograms, migrated, running_role_stack

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import httpx
    from redis import Redis

    from tests.faults.journal import Journal

    OpenBaseline = Callable[[Path, Path, Path], AbstractContextManager[Subject]]

_QUEUE = "celery"
_ROLES = ("api", "worker-1", "worker-2")
_DOUBLED_MOST = 30
_RESTOCK = text("""
    UPDATE stock SET physical = allocated + :units FROM items, warehouses
    WHERE items.id = item_id AND warehouses.id = warehouse_id AND sku = ANY(:skus) AND name = 'Main'
""")


class Baseline(Subject):
    """Flask, a group of Celery tasks for each batch, Redis as broker and result backend, PostgreSQL."""

    completes = False
    changes_jobs = False
    reads_spellings = False
    unfit = frozenset(
        {
            # It has neither of them, nor points to die at.
            "worker and watcher killed",
            "scheduler killed",
            "death at a crash point",
            # One of these ends every worker until a person empties the queue: nothing else would show.
            "messages that kill workers",
        }
    )
    queues = (_QUEUE,)
    task = CREATE_ORDER
    # Celery looks for what was not acknowledged every 100 s or so.
    healing_seconds = 180.0

    def restock(self, client: httpx.Client) -> None:  # noqa: ARG002 - its API has no way for that
        """In the database."""
        with self.engine.begin() as connection:
            connection.execute(_RESTOCK, {"units": COUNTED_UNITS, "skus": list(COUNTED)})

    def double_messages(self, redis: Redis, chance: random.Random) -> bool:
        """Of those that wait; it keeps none of the others."""
        waiting = _listed(redis)
        chosen = chance.sample(waiting, min(_DOUBLED_MOST, len(waiting)))
        doubles = [_with_new_tag(raw) for raw in chosen for _ in range(chance.randint(1, 5))]
        put_among(redis, _QUEUE, doubles, chance)
        return bool(doubles)

    def undecided(self, redis: Redis) -> set[str]:
        """What waits in the queue, or is with a worker."""
        taken = [json.loads(raw)[0] for raw in _bytes(redis.hvals("unacked"))]
        keys = (_key_in(message) for message in (*map(json.loads, _listed(redis)), *taken))
        return {key for key in keys if key is not None}

    def judge(self, journal: Journal) -> Verdict:
        """It promises nothing; what clients saw is told all the same."""
        accepted, refused = count_answers(journal.sent)
        told = broken_tellings(journal.sent, journal.followed)
        return Verdict(violations=[*journal.violations, *told], accepted=accepted, refused=refused)


def _listed(redis: Redis) -> list[bytes]:
    """Messages that can be understood, of those that wait."""
    return [raw for raw in _bytes(redis.lrange(_QUEUE, 0, -1)) if raw.startswith(b"{")]


def _bytes(found: Any) -> Iterable[bytes]:
    raws: Iterable[bytes] = found
    return raws


def _with_new_tag(raw: bytes) -> bytes:
    message = json.loads(raw)
    message["properties"]["delivery_tag"] = str(uuid4())
    return json.dumps(message).encode()


def _key_in(message: dict[str, Any]) -> str | None:
    """The order's key in a message of ours."""
    if message.get("headers", {}).get("task") != CREATE_ORDER:
        return None
    args = json.loads(base64.b64decode(message["body"]))[0]
    return str(args[2]) if isinstance(args, list) and len(args) == 4 else None


def _command(kind: str, settings: Settings, descriptor: int, *, keyed: bool) -> Sequence[str]:
    redis_url = _as_celery_spells(settings.redis_url)
    if kind == "worker":
        words = ["tests.faults.baselines.celery_app", "2", redis_url, settings.database_url]
        return [sys.executable, "-m", *words]
    served = f"tests.faults.baselines.api:create_app({redis_url!r}, keyed={keyed})"
    return [
        *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{descriptor}", "--worker-class", "gthread"),
        *("--workers", "1", "--threads", "64", "--graceful-timeout", "5", "--no-control-socket", served),
    ]


def _as_celery_spells(redis_url: str) -> str:
    parts = urlsplit(redis_url)
    return f"redis+socket://{parts.path}?virtual_host=0" if parts.scheme == "unix" else redis_url


def _prepare(settings: Settings, *, keyed: bool) -> None:
    migrated(settings)
    engine = open_database(settings, "test")
    load(engine, CATALOG)
    if not keyed:
        allow_several_orders_per_key(engine)
    engine.dispose()


@contextmanager
def _open(place: Path, logs: Path, _permits: Path, *, keyed: bool) -> Iterator[Subject]:
    programs = RolePrograms(partial(_command, keyed=keyed), partial(_prepare, keyed=keyed), supervised=False)
    with running_role_stack(Settings(), place, _ROLES, {}, logs=logs, programs=programs) as stack:
        engine = open_database(stack.settings, "test")
        try:
            yield Baseline(stack, engine, "")
        finally:
            engine.dispose()


BASELINES: Final[dict[str, OpenBaseline]] = {
    "celery": partial(_open, keyed=False),
    "celery-unique-key": partial(_open, keyed=True),
}
"""Celery and Redis as the documentation sets them up; and the same with a unique key on (job, order)."""
