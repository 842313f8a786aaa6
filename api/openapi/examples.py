"""Examples of requests and answers: the seed document's, and as few others as will do."""

from __future__ import annotations

import json
from typing import Any, Final

from api.openapi.operation import Example

SEED_ORDER: Final[dict[str, Any]] = {
    "invoiceAddress": {
        "country": "SE",
        "firstName": "John",
        "lastName": "Smith",
        "address": "12 Alto Road",
        "coaddress": "c/o Peter",
        "zipcode": "90212",
        "city": "San Francisco",
        "email": "x@example.com",
    },
    "deliveryAddress": {
        "country": "US",
        "firstName": "John",
        "lastName": "Smith",
        "address": "1500 California St",
        "coaddress": "c/o Peter",
        "zipcode": "90210",
        "city": "San Francisco",
        "state": "CA",
    },
    "products": [
        {
            "qty": 2,
            "ean": "ABCDEFGHIJKL",
            "unitPrice": 14.11,
            "originalPrice": 100.11,
            "itemText": {
                "sku": "SPECIAL-SKU-FOR-THIS-ONE",
                "product": "A special product",
                "variant": "",
            },
        },
        {"qty": 1, "sku": "SKUASKUBSKUC", "unitPrice": 12.11, "originalPrice": 50.22},
    ],
}
_SHORT_ORDER: Final[dict[str, Any]] = {
    "address": {"country": "DE", "email": "y@example.com", "city": "Köln", "zipcode": "50667"},
    "products": [{"qty": 1, "sku": "SKUASKUBSKUC"}],
}
_CREATED: Final = {"status": "ok", "orders": [1234]}
_PREPARED: Final = {"status": "ok", "order": 1234}
_REJECTED: Final = {
    "status": "no",
    "code": -2,
    "msg": "products[0]: 2 wanted, 1 available of SKU 'KRONAN-BIKE-BLUE-M'",
    "retryable": True,
    "errors": [
        {
            "pointer": "/products/0",
            "reason": "stock_short",
            "msg": "2 wanted, 1 available of SKU 'KRONAN-BIKE-BLUE-M'",
            "params": {"wanted": 2, "available": 1, "sku": "KRONAN-BIKE-BLUE-M"},
        }
    ],
}
_JOB_ID: Final = "019aa0b4-7c1e-7d3a-9f53-2b6f0e4c8a11"


def envelope(msg: str) -> dict[str, Any]:
    """Give the envelope of a request that is refused as a whole."""
    return {"status": "no", "code": -7, "msg": msg}


ORDERS_SENT: Final = {
    "batch": Example(says="Two orders", value={"x123": SEED_ORDER, "a1": _SHORT_ORDER}),
}
LINES_SENT: Final = "".join(
    json.dumps({key: _SHORT_ORDER}, ensure_ascii=False) + "\n" for key in ("a1", "a2")
)
ORDER_SENT: Final = {"order": Example(says="One order", value=SEED_ORDER)}
COMPLETION_SENT: Final = {
    "payment": Example(
        says="Complete it, with its payment",
        value={
            "payment": {"id": 1, "auth": {"status": 1, "amount": "40.33", "transaction": "T-77"}},
            "comment": "Leave it at the door.",
        },
    ),
}
COMPLETIONS_SENT: Final = {
    "batch": Example(
        says="Two orders, one with its payment",
        value={
            "x123": {
                "order": 1234,
                "payment": {"id": 1, "capture": {"status": 1, "amount": 40.33, "transaction": "T-77"}},
            },
            "a1": {"order": 1235},
        },
    ),
}
_PARCEL: Final = {
    "products": {"5501": 2},
    "carrier": "PostNord",
    "tracking": "00370000000000012345",
    "reference": "parcel-1",
}
SHIPMENT_SENT: Final = {"parcel": Example(says="Two units of a line", value=_PARCEL)}
SHIPMENTS_SENT: Final = {
    "batch": Example(
        says="Two units of one order, and all that remains of another",
        value={"p1": {"order": 1234, **_PARCEL}, "p2": {"order": 1235, "carrier": "DHL"}},
    ),
}
CANCELLATION_SENT: Final = {"reason": Example(says="Why", value={"reason": "The customer called."})}
CANCELLATIONS_SENT: Final = {
    "batch": Example(
        says="Two orders", value={"a": {"order": 1236, "reason": "Paid by nobody."}, "b": {"order": 1237}}
    ),
}
OUTCOMES: Final = {
    "shipped": Example(says="Shipped", value={"p1": {"status": "ok", "shipment": 77}}),
    "created": Example(
        says="Both created", value={"x123": _CREATED, "a1": {"status": "ok", "orders": [1235]}}
    ),
    "prepared": Example(says="createOnly: prepared", value={"x123": _PREPARED}),
    "mixed": Example(
        says="One rejected; the other is none the worse",
        value={"x123": _REJECTED, "a1": {"status": "ok", "orders": [1235]}},
    ),
}
OUTCOME: Final = {
    "created": Example(says="Created", value=_CREATED),
    "split": Example(says="Split into two", value={"status": "ok", "orders": [1234, 1235]}),
    "prepared": Example(says="createOnly: prepared", value=_PREPARED),
    "rejected": Example(says="Rejected", value=_REJECTED),
}
JOB: Final = {
    "running": Example(
        says="A job that runs",
        value={
            "id": _JOB_ID,
            "kind": "orders",
            "state": "running",
            "done": False,
            "total": 10000,
            "pending": 3900,
            "ok": 6000,
            "failed": 100,
            "cancelled": 0,
            "percent": 61.0,
            "codes": {"-2": 80, "-7": 20},
            "reference": "run-42",
            "labels": {"shop": "se"},
            "dryRun": False,
            "ordered": False,
            "atomic": False,
            "uniqueKeys": False,
            "maxFailed": None,
            "notBefore": None,
            "createdAt": "2026-11-23T18:25:21.000000Z",
            "startedAt": "2026-11-23T18:25:21.040000Z",
            "finishedAt": None,
            "expiresAt": "2026-12-23T18:25:21.000000Z",
            "retryOf": None,
            "retries": [],
            "links": {"self": f"/v1/jobs/{_JOB_ID}", "results": f"/v1/jobs/{_JOB_ID}/results"},
        },
    ),
}
COUNTS_SENT: Final = {
    "counts": Example(
        says="A count in the warehouse Main, and what has come to another",
        value={
            "warehouse": "Main",
            "products": [
                {"product": "ABCDEFGHIJKL", "quantity": 40},
                {"product": "SKUASKUBSKUC", "change": 12, "warehouse": "Shop"},
            ],
        },
    ),
}
STOCK_SET: Final = {
    "set": Example(says="All set", value={"status": "ok", "updated": 2, "unchanged": 0}),
    "raised": Example(
        says="Less was counted than is reserved",
        value={
            "status": "ok",
            "updated": 1,
            "unchanged": 0,
            "raised": [
                {
                    "pointer": "/products/0",
                    "product": "SKUASKUBSKUC",
                    "warehouse": "Shop",
                    "quantity": 12,
                    "physicalStock": 14,
                }
            ],
        },
    ),
    "partly": Example(
        says="Not all set",
        value={
            "status": "no",
            "code": -7,
            "msg": "1 count was not taken, the others were: products[0].product: "
            "no item has the EAN, UPC or SKU 'ABCDEFGHIJKL'.",
            "updated": 1,
            "unchanged": 0,
            "errors": [
                {
                    "pointer": "/products/0/product",
                    "reason": "item_unknown",
                    "msg": "no item has the EAN, UPC or SKU 'ABCDEFGHIJKL'",
                    "params": {},
                }
            ],
        },
    ),
}
