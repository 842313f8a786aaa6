"""The shop that tries the parameters of contract §6: every list of contract §7, in Stockholm's zone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any

from tests.support.catalogs import PARAMETER_CATALOG
from tests.support.placed_orders import Shop, open_shop, told
from tests.support.settling import settle_slice
from worker.context import open_worker_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from shared.settings import Settings


@contextmanager
def open_parameter_shop(settings: Settings) -> Iterator[Shop]:
    """Open this shop on these servers."""
    with open_shop(replace(settings, organisation_timezone="Europe/Stockholm"), PARAMETER_CATALOG) as shop:
        yield shop


def numbers_of(outcome: dict[str, Any]) -> list[int]:
    """The numbers that an outcome tells, which must be ok."""
    assert outcome["status"] == "ok", outcome
    return list(outcome["orders"]) if "orders" in outcome else [outcome["order"]]


def read_only(shop: Shop, outcome: dict[str, Any]) -> dict[str, Any]:
    """The one order of an outcome, read back."""
    [number] = numbers_of(outcome)
    [found] = shop.orders(f"?order={number}")
    return found


def placed(shop: Shop, sent: dict[str, Any]) -> dict[str, Any]:
    """Place one order that becomes one, and read it back."""
    return read_only(shop, shop.place({"a": sent})["a"])


def read_parts(shop: Shop, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts that an outcome tells, in its order, read back."""
    return [shop.orders(f"?order={number}")[0] for number in numbers_of(outcome)]


def stock_of(shop: Shop, sku: str) -> dict[str, tuple[int, int]]:
    """What is in stock, by warehouse: physical and allocated."""
    found = shop.api.rows(
        "SELECT warehouses.name, physical, allocated FROM stock JOIN items ON items.id = item_id"
        " JOIN warehouses ON warehouses.id = warehouse_id WHERE sku = :sku",
        sku=sku,
    )
    return {row.name: (row.physical, row.allocated) for row in found}


def accepted(response: TestResponse) -> str:
    """The path of the job that a response tells of."""
    assert response.status_code in {200, 202}, response.data
    return str(response.headers["Location"])


def settle_at_once(shop: Shop, job_paths: list[str]) -> list[dict[str, Any]]:
    """Settle these jobs' slices at the same moment, each by a worker of its own; give the jobs' outcomes."""
    slices = [one[0] for path in job_paths for one in shop.api.open_slices(path.rpartition("/")[2])]
    start = Barrier(len(slices))

    def settle(slice_id: int) -> None:
        context = open_worker_context(shop.context.settings)
        try:
            start.wait()
            settle_slice(context, slice_id)
        finally:
            context.engine.dispose()

    with ThreadPoolExecutor(len(slices)) as pool:
        list(pool.map(settle, slices))
    return [told(shop.api.get(f"{path}/results")) for path in job_paths]


@contextmanager
def working(shop: Shop) -> Iterator[None]:
    """Settle every slice that turns up within the block, as a worker does."""
    over = Event()

    def work() -> None:
        while not over.wait(0.02):
            for slice_id, _, _ in shop.api.open_slices():
                settle_slice(shop.context, slice_id)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
