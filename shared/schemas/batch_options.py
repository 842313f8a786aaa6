"""The options of a batch: parameters of POST /v1/orders (contract §5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema

from shared.domain.batch_options import NOT_BEFORE_MOST, BatchOptions
from shared.domain.outcome import Fault, quoted
from shared.domain.reasons import NOT_VALID
from shared.schemas.fields import Flag, Labels, Line, Moment, Whole, wrong

REFERENCE_CHARS = 255
_MOST_FAILED = 1_000_000_000


class NotBefore(Moment):
    """A moment that is not too far ahead of its schema's ``now``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        if moment - getattr(self.root, "now", moment) > NOT_BEFORE_MOST:
            text = f"{quoted(value)} is more than {NOT_BEFORE_MOST.days} days ahead; send the batch later"
            raise wrong(NOT_VALID, text)
        return moment


class BatchOptionsQuery(Schema):
    """How all orders of a batch are decided, and what is told of its job. What is not here is not taken."""

    ordered = Flag(
        metadata={
            "description": "`true`: decided strictly in the order that was sent: scarce stock and uses of "
            "vouchers go to the first who ask, and an order may name one before it as its origin. It takes "
            "longer: no two workers share such a batch. Without it nobody can count on who is first."
        },
    )
    atomic = Flag(
        metadata={
            "description": "`true`: all orders are made, or none, in the order that was sent; up to "
            "`atomicMaxOrders`. Where one is rejected it tells why, and the others are -7, `batch_rejected`."
        },
    )
    maxFailed = Whole(
        least=0,
        most=_MOST_FAILED,
        metadata={
            "description": "As soon as more orders than that are rejected, the job cancels itself: what is "
            "not decided then is -7, `cancelled`."
        },
    )
    notBefore = NotBefore(
        metadata={
            "description": "No order is decided before this moment, which is at most 7 days ahead; the "
            "answer is 202. A moment that is past means nothing."
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

    def __init__(self, *, zone: ZoneInfo, now: datetime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone
        self.now = now


class OrderOptionsQuery(BatchOptionsQuery):
    """The options of a batch of orders: those of any batch, and what only orders can be asked."""

    validateOnly = Flag(
        metadata={
            "description": "`true`: a dry run: decided in the order that was sent, on the same stock, "
            "vouchers and numbers, and then nothing stays: no order, no number, no stock, no e-mail, no use "
            "of a voucher. Outcomes see what the earlier ones of their batch would take; an `ok` has no "
            "number."
        },
    )
    uniqueKeys = Flag(
        metadata={
            "description": "`true`: the key is the order's identity: one that has made an order of yours "
            "already, in whatever batch, makes no second. Its outcome is -5, `key_exists`, with the `orders` "
            "that it has."
        },
    )


def batch_options(values: dict[str, Any]) -> BatchOptions | Fault:
    """Make the options of a query's values, or tell which of them contradict each other."""
    if values.get("atomic") and "maxFailed" in values:
        text = (
            "contradicts maxFailed: of an atomic batch nothing is left to be cancelled; send one of the two"
        )
        return Fault(NOT_VALID, "/atomic", text)
    dry_run, atomic = values.get("validateOnly", False), values.get("atomic", False)
    return BatchOptions(
        dry_run=dry_run,
        atomic=atomic,
        max_failed=values.get("maxFailed"),
        not_before=values.get("notBefore"),
        ordered=dry_run or atomic or values.get("ordered", False),
        unique_keys=values.get("uniqueKeys", False),
        reference=values.get("reference"),
        labels=values.get("label", {}),
    )
