"""What there is when everything has been healed, read off the database."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Engine

_JOBS = text("SELECT CAST(id AS text) AS id, request_id, idempotency_key FROM jobs")
_LINES = text("""
    SELECT CAST(job_id AS text) AS job_id, position, order_lines.sku, sum(quantity) AS quantity
    FROM orders JOIN order_lines ON order_number = number GROUP BY job_id, position, order_lines.sku
""")
_FREE = text("""
    SELECT sku, sum(physical - allocated) AS free FROM stock JOIN items ON items.id = item_id GROUP BY sku
""")
_MADE = text("""
    SELECT batch_key, array_agg(DISTINCT CAST(job_id AS text)) AS job_ids, array_agg(number) AS numbers
    FROM orders GROUP BY batch_key
""")


@dataclass
class World:
    """What there is when everything has been healed."""

    jobs: dict[str, tuple[str, str | None]]
    """Job id → the request id and the Idempotency-Key that it came with."""
    lines: dict[str, dict[int, Counter[str]]]
    """Job id → position → units by SKU."""
    free: dict[str, int]
    made: dict[str, frozenset[str]] = field(default_factory=dict)
    """Key → the jobs that have made an order under it."""
    numbers: dict[str, frozenset[int]] = field(default_factory=dict)
    """Key → the orders under it, and their parts."""


def read_world(engine: Engine) -> World:
    """Read it."""
    lines: dict[str, dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    with engine.connect() as connection:
        jobs = {row.id: (row.request_id, row.idempotency_key) for row in connection.execute(_JOBS)}
        for row in connection.execute(_LINES):
            lines[row.job_id][row.position][row.sku] = int(row.quantity)
        free = {row.sku: int(row.free) for row in connection.execute(_FREE)}
        rows = connection.execute(_MADE).all()
    made = {json.loads(row.batch_key): frozenset(row.job_ids) for row in rows}
    return World(jobs, lines, free, made, {json.loads(row.batch_key): frozenset(row.numbers) for row in rows})
