"""Retries: which of a job's rejected orders are tried again, in each of the ways to ask for that."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tests.faults.goods import Wanted, body_of, corrected
from tests.faults.journal import Sent

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

_WAYS: Final = ("retryable", "codes", "reasons", "keys", "all", "orders")


@dataclass(frozen=True)
class Retry:
    """One that is to be sent. ``made``: keys in it whose order is known to have been made meanwhile.

    ``may_be_refused``: another retry may have some of its keys.
    """

    sent: Sent
    made: frozenset[str]
    may_be_refused: bool


def retry_of(chance: random.Random, sent: Sent, name: str, key: str) -> Retry | None:
    """A retry of some that a batch or a retry was told as rejected; None: there are none such."""
    if sent.final is None:
        return None
    outcomes: dict[str, Any] = json.loads(sent.final)
    rejected = {key: one for key, one in outcomes.items() if one["status"] == "no"}
    if not rejected:
        return None
    way = chance.choice(_WAYS)
    wanted, body = _chosen(chance, way, sent, rejected)
    if not wanted:
        return None
    prefer = chance.choice(("", "", "respond-async", "wait=2"))
    retry = Sent(
        name,
        body,
        wanted,
        key,
        f"{sent.job_path}/retry",
        prefer=prefer,
        options=sent.options.of_retry(),
        to_be_cancelled=prefer == "respond-async",
        retry_of=sent,
        chain=sent.chain,
    )
    others = {key: _last_try(sent, key) for key in wanted}
    made = frozenset(key for key, last in others.items() if last is not None and _has_made(last, key))
    return Retry(retry, made, any(last is not None and _may_have(last, key) for key, last in others.items()))


def _chosen(
    chance: random.Random, way: str, sent: Sent, rejected: Mapping[str, dict[str, Any]]
) -> tuple[dict[str, Wanted], bytes]:
    """The orders of a retry, in the order in which they are answered, and what asks for them."""
    one = rejected[chance.choice(list(rejected))]
    keys = list(rejected)
    asked: dict[str, Any] = {}
    if way == "retryable":
        keys = [key for key in keys if rejected[key]["retryable"]]
    elif way == "codes":
        asked = {"codes": [one["code"]]}
        keys = [key for key in keys if rejected[key]["code"] == one["code"]]
    elif way == "reasons":
        reason = one["errors"][0]["reason"]
        asked = {"reasons": [reason]}
        keys = [key for key in keys if reason in {fault["reason"] for fault in rejected[key]["errors"]}]
    elif way == "all":
        asked = {"all": True}
    else:
        keys = chance.sample(keys, chance.randint(1, len(keys)))
        asked = {"keys": keys}
    if way == "orders":
        right = {key: corrected(chance) for key in keys}
        if sent.options.unique_keys:
            # Another batch may have made it meanwhile.
            right = {key: replace(one, may_be=one.may_be | {-5}) for key, one in right.items()}
        return right, b'{"orders":%b}' % body_of(right)
    return {key: sent.wanted[key] for key in keys}, json.dumps(asked).encode()


def _last_try(sent: Sent, key: str) -> Sent | None:
    """The retry, if it is another one, that has tried a key last."""
    tries = sent.chain.get(key, [])
    return tries[-1] if tries and tries[-1] is not sent else None


def _has_made(tried: Sent, key: str) -> bool:
    return tried.final is not None and json.loads(tried.final)[key]["status"] == "ok"


def _may_have(tried: Sent, key: str) -> bool:
    return tried.final is None or tried.delete_asked or _has_made(tried, key)
