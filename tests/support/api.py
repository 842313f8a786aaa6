"""The API as a client meets it, in this process, on real servers, with a worker of one thread."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import text

from api.app import close_app, create_app
from shared.clock import utc_now
from shared.events import JobEvents
from shared.persistence.access.keys import create_api_key
from shared.persistence.core.database import open_database
from tests.support.stored_jobs import close_slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

    from shared.settings import Settings


@dataclass(frozen=True)
class ApiClient:
    """A client with a key that may do everything with orders, and a look at the rows behind."""

    settings: Settings
    client: FlaskClient
    engine: Engine
    key: str
    apps: list[Flask] = field(default_factory=list)

    def post(self, body: Any, query: str = "", **headers: str) -> TestResponse:
        """Post a batch; anything but bytes is written as JSON. Underscores in header names become hyphens."""
        return self.client.post(
            f"/v1/orders{query}",
            data=body if isinstance(body, bytes) else orjson.dumps(body),
            headers={
                "API-Authorization": self.key,
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    def get(self, path: str, key: str = "") -> TestResponse:
        """Get a path, with this client's key unless there is another."""
        return self.client.get(path, headers={"API-Authorization": key or self.key})

    def new_key(self, name: str, *scopes: str) -> str:
        """Make another API key."""
        return create_api_key(self.engine, name, scopes, None, None, utc_now())

    def with_settings(self, **changes: Any) -> ApiClient:
        """Build another API with the same database and key, and other settings."""
        settings = replace(self.settings, **changes)
        self.apps.append(create_app(settings))
        return replace(self, settings=settings, client=self.apps[-1].test_client())

    def in_days(self, days: float) -> ApiClient:
        """Build another API with the same database and key, whose clock is so many days ahead."""
        self.apps.append(create_app(self.settings, lambda: utc_now() + timedelta(days=days)))
        return replace(self, client=self.apps[-1].test_client())

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Read rows."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))

    def job_count(self) -> int:
        """Count the jobs that were accepted."""
        return int(self.rows("SELECT count(*) FROM jobs")[0][0])

    def close_slice(self, slice_id: int, *, ok: bool = True) -> None:
        """Close a slice as a worker does: every order of it created, or every one rejected."""
        [(body,)] = self.rows("SELECT body FROM slices WHERE id = :id", id=slice_id)
        keys = list(json.loads(body))
        created = {"status": "ok", "orders": [slice_id]}
        rejected = {"status": "no", "code": -2, "msg": "none left"}
        close_slice(
            self.engine,
            slice_id,
            orjson.dumps(dict.fromkeys(keys, created if ok else rejected)),
            len(keys) if ok else 0,
            {} if ok else {"-2": len(keys)},
        )

    def open_slices(self, job_id: str = "") -> list[tuple[int, UUID, int]]:
        """List the slices without outcomes, of one job or of all: id, job, number."""
        found = self.rows("SELECT id, job_id, number FROM slices WHERE closed_at IS NULL ORDER BY id")
        return [(row.id, row.job_id, row.number) for row in found if job_id in {"", str(row.job_id)}]

    @contextmanager
    def worker(self, *, announcing: bool = True) -> Iterator[None]:
        """Close every slice that turns up within the block; ``announcing`` it, or keeping quiet."""
        over = threading.Event()
        events = JobEvents(self.settings)

        def work() -> None:
            while not over.wait(0.02):
                # The last one first: the order of the answer must not depend on it.
                for slice_id, job_id, number in reversed(self.open_slices()):
                    self.close_slice(slice_id)
                    if announcing:
                        events.announce(job_id, number)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@contextmanager
def open_api(settings: Settings) -> Iterator[ApiClient]:
    """Put an API together on these servers."""
    engine = open_database(settings, "test")
    key = create_api_key(engine, "Shop", ["orders:write", "orders:read"], None, None, utc_now())
    app = create_app(settings)
    api = ApiClient(settings, app.test_client(), engine, key, [app])
    yield api
    for made in api.apps:
        close_app(made)
    engine.dispose()
