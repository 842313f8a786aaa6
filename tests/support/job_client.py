"""A job as a client follows it over HTTP, until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.until import until

if TYPE_CHECKING:
    import httpx


def await_job(client: httpx.Client, path: str, limit_seconds: float = 60) -> dict[str, Any]:
    """Look at a job until it is done; its counts add up whenever one looks, and never run backwards."""
    decided = 0

    def done() -> dict[str, Any]:
        nonlocal decided
        job: dict[str, Any] = client.get(path).raise_for_status().json()
        counted = job["ok"] + job["failed"] + job["cancelled"]
        assert job["pending"] + counted == job["total"]
        assert counted >= decided
        decided = counted
        return job if job["done"] else {}

    return until(done, f"{path} is done", limit_seconds, look_seconds=0.05)
