"""Steps of an order's life, described: shipped and cancelled."""

from __future__ import annotations

from typing import Final

from api.openapi.batches import batch_operation, one_operation
from api.openapi.examples import (
    CANCELLATION_SENT,
    CANCELLATIONS_SENT,
    SHIPMENT_SENT,
    SHIPMENTS_SENT,
)
from api.openapi.operation import Body

_SHIPPING: Final = (
    "The units are taken out of the stock, out of `physical` and `allocated` together. The same `reference` "
    "on an order is the same shipment: asked for again, nothing changes. Back-ordered, or more than remains: "
    "-2, with what remains; prepared or cancelled: -7."
)
_CANCELLING: Final = (
    "Every unit that is reserved is given back, to the orders that wait for it first; the uses of its "
    "vouchers with an order's last part. Asked for again it is `ok`, and nothing changes. What has shipped "
    "in part cannot be cancelled: -7, with what has."
)

STEPS: Final = {
    "POST /v1/shipments": batch_operation(
        "shipOrders",
        summary="Ship from a batch of orders",
        description=f"Records many shipments at once, each under a key of your own. {_SHIPPING}",
        elements="shipments",
        schema="Shipments",
        sent=SHIPMENTS_SENT,
    ),
    "POST /v1/order/<int:number>/shipments": one_operation(
        "shipOrder",
        summary="Ship from one order",
        description=f"Records a shipment; answered with its bare outcome. {_SHIPPING}",
        body=Body(
            schema="Shipment",
            says="What has left; empty: all that remains.",
            examples=SHIPMENT_SENT,
        ),
        numbered=True,
    ),
    "POST /v1/cancellations": batch_operation(
        "cancelOrders",
        summary="Cancel a batch of orders",
        description=f"Cancels many orders at once, each under a key of your own. {_CANCELLING}",
        elements="cancellations",
        schema="Cancellations",
        sent=CANCELLATIONS_SENT,
    ),
    "POST /v1/order/<int:number>/cancel": one_operation(
        "cancelOrder",
        summary="Cancel one order",
        description=f"Cancels an order; answered with its bare outcome. {_CANCELLING}",
        body=Body(schema="Cancellation", says="Why; may be empty.", examples=CANCELLATION_SENT),
        numbered=True,
    ),
}
