"""Outcomes as the seed writes them (contract §3 and 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from shared.domain.outcome import Cancelled, Creatable, Created, Fault, Outcome, Prepared, Rejected, Shipped


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """One outcome: ``{"status": "ok", …}`` or ``{"status": "no", "code": …, "msg": …, …}``."""
    told = _without_ignored(outcome)
    if outcome.ignored:
        told["ignored"] = list(outcome.ignored)
    return told


def outcome_bytes(outcome: Outcome) -> bytes:
    """The same as compact JSON."""
    return orjson.dumps(outcome_json(outcome))


def _without_ignored(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Created(numbers):
            return {"status": "ok", "orders": list(numbers)}
        case Prepared(number):
            return {"status": "ok", "order": number}
        case Creatable():
            return {"status": "ok"}
        case Shipped(shipment):
            return {"status": "ok", "shipment": shipment}
        case Cancelled(number):
            return {"status": "ok", "orders": [number]}
        case Rejected(code, msg, faults, retryable):
            told = {"status": "no", "code": int(code), "msg": msg, "retryable": retryable}
            if outcome.numbers:
                told["orders"] = list(outcome.numbers)
            if faults:
                told["errors"] = [fault_json(fault) for fault in faults]
            return told


def fault_json(fault: Fault) -> dict[str, Any]:
    """One thing that is wrong (contract §4)."""
    return {
        "pointer": fault.pointer,
        "reason": fault.reason.name,
        "msg": fault.msg,
        "params": dict(fault.params),
    }


def keyed_outcomes_json(keyed: Iterable[tuple[str, Outcome]]) -> bytes:
    """``{key: outcome, …}`` as compact JSON, in the order given."""
    return orjson.dumps({key: outcome_json(outcome) for key, outcome in keyed})
