"""The body of a retry: which of a job's orders are tried again, and as what (contract §5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from api.body.batch import Batch, read_batch
from api.web.query import bad_values
from shared.domain.outcome import Code, Fault, quoted
from shared.domain.reasons import NOT_ARRAY, NOT_VALID, REASONS, UNKNOWN_FIELD, UNKNOWN_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings

_MEMBERS: Final = ("codes", "reasons", "keys", "all", "orders")
_CODES: Final = sorted((int(code) for code in Code), reverse=True)
_REASON_NAMES: Final = frozenset(reason.name for reason in REASONS)


@dataclass(frozen=True, kw_only=True)
class RetryChoice:
    """Which rejected orders are meant: those that are retryable, if nothing else is said.

    ``orders``: these, under their keys, in the place of what was sent.
    """

    codes: frozenset[int] | None = None
    reasons: frozenset[str] | None = None
    keys: tuple[str, ...] | None = None
    all: bool = False
    orders: Batch | None = None

    @property
    def named_keys(self) -> tuple[str, ...] | None:
        """The keys that are named one by one; None where they are chosen by what became of them."""
        return self.keys if self.orders is None else tuple(self.orders.keys)

    def has(self, *, code: int | None, reasons: frozenset[str], retryable: bool) -> bool:
        """Whether a rejected order is meant that nobody names."""
        if self.codes is not None:
            return code in self.codes
        if self.reasons is not None:
            return not self.reasons.isdisjoint(reasons)
        return self.all or retryable


def read_choice(body: bytearray, settings: Settings) -> RetryChoice:
    """Read the body of a retry. Raises ApiError (400, 413), as a batch does for the orders in it."""
    # A member may be as large as the whole body: `orders` is a batch of its own.
    members = read_batch(
        body, by_line=False, settings=replace(settings, max_order_bytes=settings.max_body_bytes)
    )
    sent = dict(zip(members.keys, members.orders, strict=True))
    faults = list(_unknown(sent))
    if not faults and len(sent) > 1:
        told = " and ".join(sent)
        faults = [Fault(NOT_VALID, "", f"{told} contradict each other; send one of {', '.join(_MEMBERS)}")]
    if faults:
        raise bad_values(faults)
    for name, raw in sent.items():
        if name == "orders":
            return RetryChoice(orders=read_batch(bytearray(raw), by_line=False, settings=settings))
        return _chosen(name, msgspec.json.decode(raw))
    return RetryChoice()


def _unknown(sent: dict[str, msgspec.Raw]) -> Iterator[Fault]:
    for name in sent:
        if name not in _MEMBERS:
            msg = f"{quoted(name)} is no member of a retry; it knows {', '.join(_MEMBERS)}"
            yield Fault(UNKNOWN_FIELD, "", msg)


def _chosen(name: str, value: Any) -> RetryChoice:
    if name == "all":
        if value is not True:
            raise bad_values(
                [Fault(UNKNOWN_VALUE, "/all", f"{quoted(value)} is not true", {"known": [True]})]
            )
        return RetryChoice(all=True)
    if not isinstance(value, list) or not value:
        raise bad_values([Fault(NOT_ARRAY, f"/{name}", f"{quoted(value)} is not an array of at least one")])
    if name == "keys":
        _check(name, [one for one in value if not isinstance(one, str)], "a key, which is a string", [])
        return RetryChoice(keys=tuple(dict.fromkeys(value)))
    if name == "codes":
        whole = [one for one in value if type(one) is not int or one not in _CODES]
        _check(name, whole, f"one of {', '.join(map(str, _CODES))}", _CODES)
        return RetryChoice(codes=frozenset(value))
    unknown = [one for one in value if not isinstance(one, str) or one not in _REASON_NAMES]
    _check(name, unknown, "a reason of docs/reasons.md", sorted(_REASON_NAMES))
    return RetryChoice(reasons=frozenset(value))


def _check(name: str, wrong: list[Any], what: str, known: list[Any]) -> None:
    if wrong:
        faults = [
            Fault(UNKNOWN_VALUE, f"/{name}", f"{quoted(one)} is not {what}", {"known": known})
            for one in wrong
        ]
        raise bad_values(faults)
