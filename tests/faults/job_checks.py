"""What a job's whole life promises, held against what was told of it: each check accuses, or says nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.faults.checks import Violation
from tests.faults.goods import TURNS
from tests.faults.told import broken_telling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tests.faults.goods import Wanted
    from tests.faults.journal import Followed, Sent

_TURNS = frozenset(TURNS)
_SHOWN = 3


def broken_tellings(sent: Iterable[Sent], followed: Iterable[Followed]) -> Iterator[Violation]:
    """What is wrong with how jobs were told to their clients, and to whoever else followed them."""
    for one in sent:
        yield from broken_telling(one.name, one, one.told)
    for seen in followed:
        name = f"{seen.sent.name} by {seen.how}"
        yield from broken_telling(name, seen.sent, seen.told)


def has_reason(outcome: Mapping[str, Any], reason: str) -> bool:
    """Whether an outcome is a rejection for this reason, among others."""
    return outcome["status"] == "no" and any(fault["reason"] == reason for fault in outcome.get("errors", ()))


def is_cancelled(outcome: Mapping[str, Any]) -> bool:
    """Whether an outcome says that its job was cancelled before it was decided."""
    return has_reason(outcome, "cancelled")


def half_made(sent: Sent, outcomes: Mapping[str, Mapping[str, Any]]) -> Iterator[Violation]:
    """An atomic batch that is made in part, or rejected whole for nobody's fault; others never are so."""
    with_others = [key for key, one in outcomes.items() if has_reason(one, "batch_rejected")]
    kinds = {one["status"] for one in outcomes.values()}
    if with_others and not sent.options.atomic:
        yield Violation("only what is atomic is rejected whole", f"{sent.name}: {with_others[:_SHOWN]}")
    if sent.options.atomic and (len(kinds) > 1 or 0 < len(with_others) == len(outcomes)):
        yield Violation("all orders of an atomic batch or none", f"{sent.name}: {dict(outcomes)}")


def numbers_of_dry_run(sent: Sent, outcomes: Mapping[str, Mapping[str, Any]]) -> Iterator[Violation]:
    """Orders that a dry run tells to be made."""
    told = [
        key for key, one in outcomes.items() if one["status"] == "ok" and len(one.keys() - {"ignored"}) > 1
    ]
    if told and sent.options.validate_only:
        yield Violation("a dry run leaves nothing", f"{sent.name}: {told[:_SHOWN]}")


def miscounted(sent: Sent, outcomes: Mapping[str, Mapping[str, Any]]) -> Iterator[Violation]:
    """Where a done job was told to count other outcomes than it has."""
    ok = sum(one["status"] == "ok" for one in outcomes.values())
    cancelled = sum(map(is_cancelled, outcomes.values()))
    counted = (ok, len(outcomes) - ok - cancelled, cancelled)
    for told in sent.told:
        if told.done and (told.ok, told.failed, told.cancelled) != counted:
            yield Violation("a job counts its outcomes", f"{sent.name}: {counted}, told {told}")


def wrongly_cancelled(sent: Sent, outcomes: Mapping[str, Mapping[str, Any]]) -> Iterator[Violation]:
    """Outcomes that say cancelled where neither a client nor the job itself had reason to cancel."""
    keys = [key for key, one in outcomes.items() if is_cancelled(one)]
    if not keys or sent.cancel_asked:
        return
    most = sent.options.max_failed
    failed = sum(one["status"] == "no" and not is_cancelled(one) for one in outcomes.values())
    if most is None or failed <= most:
        yield Violation("nothing is cancelled that nobody cancels", f"{sent.name}: {keys[:_SHOWN]}")


def strangers_named(
    sent: Sent, outcomes: Mapping[str, Mapping[str, Any]], numbers: Mapping[str, Collection[int]]
) -> Iterator[Violation]:
    """Outcomes that say a key has orders, and name others than it has: ``numbers`` are those of each key."""
    for key, one in outcomes.items():
        if "orders" in one and one["status"] == "no":
            named, own = set(one["orders"]), set(numbers.get(key, ()))
            if not sent.options.unique_keys or not named or not named <= own:
                yield Violation(
                    "a key is told the orders that it has", f"{sent.name} {key}: {one}, has {own}"
                )


def out_of_turn(wanted: Mapping[str, Wanted], outcomes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Keys that got units which an earlier one of their batch was refused, of what is never counted anew."""
    refused: dict[str, int] = {}
    for key, one in wanted.items():
        for line in one.order["products"]:
            sku, units = line["sku"], line["qty"]
            if sku not in _TURNS or key not in outcomes:
                continue
            if outcomes[key]["status"] == "ok" and units >= refused.get(sku, units + 1):
                yield key
            elif outcomes[key].get("code") == -2:
                refused[sku] = min(units, refused.get(sku, units))


def made_twice(made: Mapping[str, Collection[str]]) -> Iterator[Violation]:
    """Keys under which several jobs have made an order: ``made`` has the jobs of each."""
    for key, jobs in made.items():
        if len(jobs) > 1:
            yield Violation("no key is made twice over a chain of retries", f"{key} by {sorted(jobs)}")


def outcomes_changed(name: str, seen: Mapping[str, bytes], now: Mapping[str, bytes]) -> Iterator[Violation]:
    """Where outcomes that were told once are others now, by as little as a byte."""
    for key, outcome in seen.items():
        if now.get(key) != outcome:
            was_cancelled = is_cancelled(json.loads(outcome))
            rule = "what was told to be cancelled stays so" if was_cancelled else "an answer stays true"
            yield Violation(rule, f"{name} {key}: {outcome!r} was told, {now.get(key)!r} now")
