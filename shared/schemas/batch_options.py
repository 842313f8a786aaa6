"""The options of a batch: parameters of POST /v1/orders (contract §5)."""

from __future__ import annotations

from marshmallow import Schema

from shared.schemas.fields import Flag


class BatchOptions(Schema):
    """How all orders of a batch are decided."""

    ordered = Flag(
        load_default=False,
        metadata={
            "description": "`true`: decided strictly in the order that was sent: scarce stock and uses of "
            "vouchers go to the first who ask, and an order may name one before it as its origin. It takes "
            "longer: no two workers share such a batch. Without it nobody can count on who is first."
        },
    )
