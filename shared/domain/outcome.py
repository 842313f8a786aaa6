"""The outcome of an order request: created, prepared, creatable or rejected; how faults become the last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import IntEnum
from typing import Any

from shared.domain.values import value

MOST_ERRORS = 20
"""Faults that one rejection lists; the message says how many there were beside those that it names."""

MOST_ERRORS_CHARS = 8_192
"""Characters that they may have together, of pointers, messages and params; one is always listed."""

MOST_IGNORED = 20
"""Members that are no parameters, of which one outcome tells."""

MOST_KEY_NUMBERS = 20
"""Order numbers that one outcome tells of a key: without ``uniqueKeys`` it may have made any number."""

_MOST_IN_MESSAGE = 3
_MOST_BITS = 14_000


class Code(IntEnum):
    """The seed's codes."""

    PRODUCT = -1
    STOCK = -2
    EMPTY = -3
    MISSING = -4
    NUMBER_TAKEN = -5
    CUSTOMER = -6
    GENERAL = -7


PRECEDENCE = (
    Code.EMPTY,
    Code.MISSING,
    Code.GENERAL,
    Code.PRODUCT,
    Code.CUSTOMER,
    Code.NUMBER_TAKEN,
    Code.STOCK,
)
"""When several apply, the first of these wins (contract §3)."""


@value(frozen=True, slots=True)
class Reason:
    """A kind of fault: its name for machines, its code, and what it means; ``reasons`` lists them all.

    ``retryable``: whether the same order, unchanged, could succeed later. ``params`` are the names of what
    its faults say beside the message.
    """

    name: str
    code: Code
    means: str
    retryable: bool = False
    params: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (an RFC 6901 pointer into the order) and what, value included.

    ``params`` has a value, fit for JSON, under each of the reason's names for them.
    """

    reason: Reason
    pointer: str
    msg: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> Code:
        """The code of its reason."""
        return self.reason.code


@value(frozen=True, slots=True)
class Created:
    """The order exists, under several numbers when it was split."""

    numbers: tuple[int, ...]
    ignored: tuple[str, ...] = ()
    """Pointers to the first of the members that are no parameters; so with the other outcomes."""


@value(frozen=True, slots=True)
class Prepared:
    """createOnly: checked and numbered, not completed."""

    number: int
    ignored: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class Creatable:
    """In a dry run: the order could be created, or prepared; nothing of it exists, not even a number."""

    ignored: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class Rejected:
    """Nothing of the order exists and no stock moved. ``faults`` are all of ``code``."""

    code: Code
    msg: str
    faults: tuple[Fault, ...] = ()
    retryable: bool = False
    """Whether the same order, unchanged, could succeed later."""
    ignored: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    """Of the orders that its key has made before; that is why, then."""


@value(frozen=True, slots=True)
class Shipped:
    """What was asked for has shipped: the shipment's number."""

    shipment: int
    ignored: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class Cancelled:
    """The order of this number is cancelled, by this request or by an earlier one."""

    number: int
    ignored: tuple[str, ...] = ()


Outcome = Created | Prepared | Creatable | Shipped | Cancelled | Rejected


def reject(faults: Iterable[Fault]) -> Rejected:
    """The rejection that these faults (at least one) add up to, by the contract's precedence.

    It may be tried again unchanged if that may help against each of the faults that are told.
    """
    everything = list(faults)
    code = min((fault.code for fault in everything), key=PRECEDENCE.index)
    told = [fault for fault in everything if fault.code is code]
    return Rejected(
        code=code,
        msg=sentence(told),
        faults=tuple(listed(told)),
        retryable=all(fault.reason.retryable for fault in told),
    )


def listed(faults: Sequence[Fault]) -> Iterator[Fault]:
    """The first of them: a batch of small orders with many faults must not make an answer of gigabytes."""
    chars = 0
    for position, fault in enumerate(faults[:MOST_ERRORS]):
        params = sum(len(str(value)) for value in fault.params.values())
        chars += len(fault.pointer) + len(fault.msg) + params
        if position and chars > MOST_ERRORS_CHARS:
            return
        yield fault


def sentence(faults: Sequence[Fault]) -> str:
    """What these faults come to, for people: the first few of them, and how many more there are."""
    sentences = [_sentence(fault) for fault in faults[:_MOST_IN_MESSAGE]]
    if len(faults) > _MOST_IN_MESSAGE:
        sentences.append(f"and {len(faults) - _MOST_IN_MESSAGE} more")
    return "; ".join(sentences)


def _sentence(fault: Fault) -> str:
    name = field_name(fault.pointer)
    return f"{name}: {fault.msg}" if name else fault.msg


def field_name(pointer: str, *, first: int = 0) -> str:
    """A pointer as people write it: ``/products/1/sku`` is ``products[1].sku``.

    With ``first`` 1 lists are counted from 1, as people do. A name that is a client's own is escaped and cut
    like any other value in a message.
    """
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return re.sub(r"\.\[", "[", ".".join(_step_name(step, first) for step in steps))


def _step_name(step: str, first: int) -> str:
    if re.fullmatch(r"[0-9]{1,9}", step):
        return f"[{int(step) + first}]"
    return step if re.fullmatch(r"\w{1,60}", step, re.ASCII) else quoted(step)


def pointer_step(name: str) -> str:
    """A member's name as one step of a pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def quoted(value: object, most: int = 60) -> str:
    """A client's value as it may stand in a message: escaped, and not longer than ``most`` characters."""
    if isinstance(value, str):
        text = repr(value[: most + 1]) if value.isprintable() else ascii(value[: most + 1])
    elif isinstance(value, dict | list):
        # Never written out: it may be as large as the whole body.
        ends = "{}" if isinstance(value, dict) else "[]"
        text = f"{ends[0]}…{ends[1]}" if value else ends
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
        # Python refuses to write out an integer of thousands of digits, or takes seconds.
        text = f"an integer of {value.bit_length()} bits"
    else:
        text = str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
