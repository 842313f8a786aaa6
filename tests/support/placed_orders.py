"""A shop whose orders are placed by the real worker, in this thread, and read back through the API."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key
from tests.support.api import ApiClient, open_api
from tests.support.catalog_files import put
from tests.support.catalogs import SMALL_CATALOG
from tests.support.settling import settle_slice
from worker.context import WorkerContext, open_worker_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from shared.settings import Settings


def told(response: TestResponse) -> dict[str, Any]:
    """Give the JSON object that an answer is."""
    answer: dict[str, Any] = orjson.loads(response.data)
    return answer


@dataclass(frozen=True)
class Shop:
    """An API, and a worker that settles what comes through it."""

    api: ApiClient
    context: WorkerContext

    def place(self, batch: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Send a batch, settle it, and give its keyed outcomes."""
        return self.settled(self.api.post(batch, Prefer="respond-async", **headers).headers["Location"])

    def complete(self, number: int, **details: Any) -> dict[str, Any]:
        """Complete a prepared order, or add to one; give the outcome."""
        response = self.api.client.post(
            f"/v1/order/{number}",
            data=orjson.dumps(details),
            headers={
                "API-Authorization": self.api.key,
                "Content-Type": "application/json",
                "Prefer": "respond-async",
            },
        )
        return self.settled(response.headers["Location"])

    def orders(self, query: str = "", key: str = "") -> list[dict[str, Any]]:
        """Read orders back."""
        response = self.api.get(f"/v1/orders{query}", key)
        assert response.status_code == 200, response.data
        found: list[dict[str, Any]] = told(response)["orders"]
        return found

    def numbers(self, query: str = "", key: str = "") -> list[int]:
        """Read the numbers of orders back."""
        return [order["orderId"] for order in self.orders(query, key)]

    def key_for_markets(self, name: str, *markets: int) -> str:
        """Make a key that is limited to these markets."""
        scopes = ["orders:read", "orders:write", "stock:read", "stock:write"]
        return create_api_key(self.api.engine, name, scopes, markets, None, utc_now())

    def settled(self, job_path: str, key: str = "") -> dict[str, Any]:
        """Settle a job, and give its outcomes, as the owner of ``key`` is told them."""
        for slice_id, _, _ in self.api.open_slices(job_path.rpartition("/")[2]):
            settle_slice(self.context, slice_id)
        return told(self.api.get(f"{job_path}/results", key))


@contextmanager
def open_shop(settings: Settings, catalog: dict[str, Any] | None = None) -> Iterator[Shop]:
    """Open a shop on these servers, its catalog loaded."""
    with open_api(settings) as api:
        put(api.engine, catalog or SMALL_CATALOG)
        context = open_worker_context(settings)
        try:
            yield Shop(api, context)
        finally:
            context.engine.dispose()
