"""GET /v1/jobs/<id>/results: what may be asked."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema

from shared.domain.outcome import Code, Fault, quoted
from shared.domain.outcome_filter import OutcomeFilter
from shared.domain.reasons import NOT_VALID, REASONS
from shared.schemas.fields import Choice, Whole
from shared.schemas.lists.orders import bound

_CODE_OF = {reason.name: int(reason.code) for reason in REASONS}


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class ResultsQuery(Schema):
    """The parameters of GET /v1/jobs/<id>/results; an outcome is given when it matches all of them."""

    status = Choice("ok", "no", metadata=_doc("Outcomes of this status."))
    code = Whole(
        least=min(int(code) for code in Code),
        most=max(int(code) for code in Code),
        metadata=_doc("Rejections of this code."),
    )
    reason = Choice(
        *_CODE_OF, metadata=_doc("Rejections that have this reason among their errors; docs/reasons.md.")
    )
    limit = Whole(
        least=1, most=1, metadata=_doc("Outcomes to give; all unless told. Link has where the next are.")
    )
    after = Whole(
        least=0,
        most=1,
        metadata=_doc("Outcomes behind this position of the batch; the first order's is 0."),
    )
    include = Choice("order", metadata=_doc("`order`: what was sent stands beside each outcome, as `sent`."))

    def __init__(self, *, max_orders: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bound(self, "limit", max_orders)
        bound(self, "after", max_orders)


def outcome_filter(values: dict[str, Any]) -> OutcomeFilter:
    """Make the filter of a query's values."""
    reason = values.get("reason")
    return OutcomeFilter(
        ok=None if "status" not in values else values["status"] == "ok",
        # Whatever a rejection tells is of its code.
        code=values.get("code") if reason is None else _CODE_OF[reason],
        reason=reason,
        after=values.get("after"),
    )


def contradictions(values: dict[str, Any], *, errors_only: bool) -> list[Fault]:
    """What of a query rules out the rest of it; ``errors_only``: it is answered with errors alone."""
    faults = []
    code, reason = values.get("code"), values.get("reason")
    if values.get("status") == "ok":
        without = "an outcome that is ok has none; leave one of the two out"
        faults += [
            Fault(NOT_VALID, f"/{name}", f"{quoted(values[name])} contradicts status=ok: {without}")
            for name in ("code", "reason")
            if name in values
        ]
        if errors_only:
            way_out = "ask for application/x-ndjson instead"
            faults.append(
                Fault(NOT_VALID, "/status", f"text/csv tells of errors, not of what is ok; {way_out}")
            )
    elif code is not None and reason is not None and _CODE_OF[reason] != code:
        told = f"{quoted(reason)} is a reason of code {_CODE_OF[reason]}, not of {code}"
        faults.append(Fault(NOT_VALID, "/reason", f"{told}; leave one of the two out"))
    return faults
