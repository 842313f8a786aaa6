"""Settling without Celery: a small shop in a real database, batches accepted for it, and its own worker."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import redis
import uuid6
from sqlalchemy import Engine, text
from structlog.testing import capture_logs
from structlog.typing import EventDict

from api.orders.duplicate_numbers import asked_numbers
from shared.clock import utc_now
from shared.domain.batch_options import BatchOptions
from shared.domain.job import Job
from shared.domain.kinds import JobForm
from shared.domain.slicing import LARGE_QUEUE
from shared.events import JobEvents
from shared.persistence.core.database import open_database
from shared.persistence.jobs.insert import NewJob, NewSlice, insert_job
from shared.persistence.jobs.stored_outcomes import outcomes_of
from shared.settings import Settings
from tests.support.catalog_files import put
from tests.support.catalogs import WORKER_CATALOG
from tests.support.settling import settle_slice
from worker.context import WorkerContext

Batch = dict[str, Any]
Outcomes = dict[str, dict[str, Any]]

MAIN, SHOP, RESERVE = 1, 2, 3

_CLIENT = """
    INSERT INTO clients (name) VALUES ('Shop');
    INSERT INTO api_keys (client_id, name, prefix, hash, scopes)
        VALUES (1, 'Shop', 'om_shop0000', sha256('x'), '{}');
"""


@dataclass
class WorkerHarness:
    """A database with a catalog and an API key, and what drives it."""

    settings: Settings
    engine: Engine
    logged: list[EventDict]
    """What was logged so far."""

    jobs: list[UUID] = field(default_factory=list)
    """The ids of what was accepted here, in order."""

    def context(self, **settings: Any) -> WorkerContext:
        """A context as a worker process has one."""
        changed = replace(self.settings, **settings)
        return WorkerContext(changed, self.engine, JobEvents(changed))

    def stock(self, sku: str, **units: int) -> None:
        """Put units into stock, as ``main=5``."""
        for house, physical in units.items():
            self.run(
                "INSERT INTO stock (item_id, warehouse_id, physical)"
                " SELECT items.id, warehouses.id, :physical FROM items, warehouses"
                " WHERE sku = :sku AND lower(name) = :house",
                sku=sku,
                house=house,
                physical=physical,
            )

    def allocated(self, sku: str) -> int:
        """Units of an item that orders have, everywhere."""
        query = "SELECT sum(allocated) FROM stock JOIN items ON items.id = item_id WHERE sku = :sku"
        return int(self.rows(query, sku=sku)[0][0])

    def accept(
        self,
        batch: Batch,
        *,
        per: int = 250,
        strict: bool = False,
        queue: str = LARGE_QUEUE,
        key: int = 1,
        client: int | None = None,
        form: JobForm = JobForm.BATCH,
        **options: Any,
    ) -> list[int]:
        """Store a job of ``key``'s, cut into slices of ``per`` elements; gives the slices' ids.

        The first clients have one key each, of the same number; of any other the ``client`` is named.

        ``options`` are those of the batch, as ``ordered=True``.
        """
        now = utc_now()
        keyed = [(key, json.dumps(order).encode()) for key, order in batch.items()]
        asked = asked_numbers(msgspec.Raw(raw) for _, raw in keyed)
        slices = [
            NewSlice(
                number=first // per,
                first_position=first,
                order_count=len(keyed[first : first + per]),
                body=b"{%s}"
                % b",".join(json.dumps(k).encode() + b":" + raw for k, raw in keyed[first : first + per]),
                repeated_numbers=[at for at in asked.repeated if first <= at < first + per],
            )
            for first in range(0, len(keyed), per)
        ]
        job = Job(
            id=uuid6.uuid7(),
            client_id=key if client is None else client,
            api_key_id=key,
            request_id="r-1",
            total=len(keyed),
            options=BatchOptions(**options),
            created_at=now,
            expires_at=now + timedelta(days=30),
            form=form,
        )
        self.jobs.append(job.id)
        new_job = NewJob(
            job=job,
            strict=strict,
            queue=queue,
            dispatch_after_seconds=0,
            requested_numbers=sorted(asked.numbers) if len(keyed) > 1 else (),
        )
        return insert_job(self.engine, new_job, slices).slice_ids

    def settle(self, batch: Batch, **how: Any) -> Outcomes:
        """Accept a batch, settle it slice by slice, and give its outcomes."""
        context = self.context()
        for slice_id in self.accept(batch, **how):
            assert settle_slice(context, slice_id) is not None
        return self.outcomes()

    def settle_racing(self, slice_ids: Sequence[int], *, threads: int = 4, **settings: Any) -> None:
        """Settle slices from several threads, each with a context of its own; what one raises is raised."""
        contexts = [self.context(**settings) for _ in range(threads)]
        shares = [slice_ids[start::threads] for start in range(threads)]

        def work(context: WorkerContext, share: Sequence[int]) -> None:
            for slice_id in share:
                settle_slice(context, slice_id)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, contexts, shares))

    def outcomes(self, job: int = -1) -> Outcomes:
        """The outcomes of a job that are there; of the last one accepted unless told otherwise."""
        rows = self.rows(
            "SELECT outcomes, body FROM slices WHERE job_id = :id AND closed_at IS NOT NULL ORDER BY number",
            id=self.jobs[job],
        )
        told = [json.loads(outcomes_of(row.outcomes, row.body)) for row in rows]
        return {key: one for of_slice in told for key, one in of_slice.items()}

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Read rows."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))

    def run(self, statement: str, **values: Any) -> None:
        """Change something."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - a table of ours

    def fails(
        self, table: str, when: str, sqlstate: str, *, constraint: str = "", times: int = 1_000_000
    ) -> None:
        """Have inserts of rows that meet ``when`` fail so many times, rolled back ones included."""
        self.run(
            f"""
            CREATE SEQUENCE failures;
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF ({when}) AND nextval('failures') <= {times} THEN
                    RAISE EXCEPTION 'made to fail' USING ERRCODE = '{sqlstate}', CONSTRAINT = '{constraint}';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER fail BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fail();
            """
        )

    def queued(self, queue: str) -> list[int]:
        """The slice ids that lie in a queue; the first to be taken first."""
        said = self.messages(queue)
        return [one for ids in said for one in (ids if isinstance(ids, list) else [ids])]

    def messages(self, queue: str) -> list[int | list[int]]:
        """What the messages in a queue say, as Celery put them there; the first to be taken first."""
        with redis.Redis.from_url(self.settings.redis_url) as client:
            messages = [json.loads(raw) for raw in client.lrange(f"ordermill:{queue}", 0, -1)]
        bodies = [json.loads(base64.b64decode(message["body"])) for message in reversed(messages)]
        return [args[0] for args, _, _ in bodies]


@contextmanager
def open_worker_harness(settings: Settings) -> Iterator[WorkerHarness]:
    """A worker harness in an empty, migrated database."""
    engine = open_database(settings, "test")
    put(engine, WORKER_CATALOG)
    with engine.begin() as connection:
        connection.execute(text(_CLIENT))
    # Rendered, a traceback with its local variables would cost seconds.
    with capture_logs() as logged:
        yield WorkerHarness(settings, engine, logged)
    engine.dispose()
