"""The options of a batch: parameters of POST /v1/orders (contract §5)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema

from shared.domain.batch_options import BatchOptions
from shared.schemas.fields import Flag, Labels, Line

REFERENCE_CHARS = 255


class BatchOptionsQuery(Schema):
    """How all orders of a batch are decided, and what is told of its job. What is not here is not taken."""

    ordered = Flag(
        metadata={
            "description": "`true`: decided strictly in the order that was sent: scarce stock and uses of "
            "vouchers go to the first who ask, and an order may name one before it as its origin. It takes "
            "longer: no two workers share such a batch. Without it nobody can count on who is first."
        },
    )
    uniqueKeys = Flag(
        metadata={
            "description": "`true`: the key is the order's identity: one that has made an order of yours "
            "already, in whatever batch, makes no second. Its outcome is -5, `key_exists`, with the `orders` "
            "that it has."
        },
    )
    label = Labels(
        metadata={
            "description": "A label, as `name:value`; up to 16 of them, each a parameter of its own and each "
            "name once. The job tells them, and jobs are listed by them."
        }
    )
    reference = Line(
        most=REFERENCE_CHARS,
        metadata={"description": "What you call the batch. The job tells it, and jobs are listed by it."},
    )

    def __init__(self, *, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone


def batch_options(values: dict[str, Any]) -> BatchOptions:
    """Make the options of a query's values."""
    return BatchOptions(
        ordered=values.get("ordered", False),
        unique_keys=values.get("uniqueKeys", False),
        reference=values.get("reference"),
        labels=values.get("label", {}),
    )
