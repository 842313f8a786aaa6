"""The generated client at work: the seed's example, a batch as a job, and a count of stock."""

from __future__ import annotations

import os
import time

from ordermill_client import AuthenticatedClient
from ordermill_client.api.jobs import show_job, show_results
from ordermill_client.api.orders import create_orders
from ordermill_client.api.stock import count_stock, list_stock
from ordermill_client.models import (
    Address,
    Batch,
    Count,
    Country,
    Counts,
    Created,
    Job,
    Line,
    Order,
    Outcomes,
    Rejected,
    StockList,
    StockSet,
)

SKU = "SKUASKUBSKUC"
EMPTY = -3
MANY = 20


def expect(holds: bool, what: str) -> None:
    """Say what does not hold, and end."""
    if not holds:
        raise SystemExit(f"the generated client was told something else: {what}")


def batch_of(orders: dict[str, Order]) -> Batch:
    """A batch as the client's own types."""
    batch = Batch()
    batch.additional_properties = orders
    return batch


def seed_order() -> Order:
    """The order x123 of the seed document."""
    shared = {
        "first_name": "John",
        "last_name": "Smith",
        "coaddress": "c/o Peter",
        "city": "San Francisco",
    }
    return Order(
        invoice_address=Address(
            country=Country.SE, email="x@example.com", address="12 Alto Road", zipcode="90212", **shared
        ),
        delivery_address=Address(
            country=Country.US, state="CA", address="1500 California St", zipcode="90210", **shared
        ),
        products=[
            Line(qty=2, ean="ABCDEFGHIJKL", unit_price=14.11, original_price=100.11),
            Line(qty=1, sku=SKU, unit_price=12.11, original_price=50.22),
        ],
    )


def main() -> None:
    """Do all of it against the server that the environment names."""
    client = AuthenticatedClient(
        base_url=os.environ["ORDERMILL_URL"],
        token=os.environ["ORDERMILL_API_KEY"],
        prefix="",
        auth_header_name="API-Authorization",
        raise_on_unexpected_status=True,
    )
    answer = create_orders.sync(
        client=client, body=batch_of({"x123": seed_order(), "a1": Order(products=[])})
    )
    expect(isinstance(answer, Outcomes), f"{answer}")
    expect(isinstance(answer["x123"], Created) and len(answer["x123"].orders) == 1, f"{answer['x123']}")
    expect(isinstance(answer["a1"], Rejected) and answer["a1"].code == EMPTY, f"{answer['a1']}")

    many = batch_of({f"k{n}": seed_order() for n in range(MANY)})
    job = create_orders.sync(client=client, body=many, prefer="respond-async")
    expect(isinstance(job, Job), f"{job}")
    deadline = time.monotonic() + 60
    while not job.done and time.monotonic() < deadline:
        time.sleep(0.2)
        job = show_job.sync(str(job.id), client=client)
    results = show_results.sync(str(job.id), client=client)
    expect(
        len(results.additional_properties) == job.total == job.ok == len(many.additional_properties), f"{job}"
    )

    counted = count_stock.sync(
        client=client, body=Counts(products=[Count(product=SKU, quantity=500, warehouse="Stockholm")])
    )
    expect(isinstance(counted, StockSet), f"{counted}")
    stock = list_stock.sync(client=client, sku=SKU)
    expect(isinstance(stock, StockList), f"{stock}")
    print(f"The generated client created {job.total + 1} orders, one in a batch of two, and counted {SKU}.")  # noqa: T201 - CI reads it


if __name__ == "__main__":
    main()
