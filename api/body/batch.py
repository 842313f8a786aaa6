"""Bytes to a keyed batch (architecture §1, step 1): the keys in their order, each order as it was sent.

Only what concerns the whole batch is looked at here. Whether an order is any good, or an object at all, is
decided in the worker, and costs only that order.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from api.body.json_depth import nests_deeper_than
from api.body.json_errors import not_json, not_utf8
from api.web.errors import ApiError
from shared.domain.outcome import Fault, pointer_step, quoted
from shared.domain.reasons import SENT_TWICE, TOO_DEEP, TOO_LARGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.settings import Settings

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF8_PIECE_BYTES = 1 << 20
_FILLED_LINE = re.compile(rb"[^ \t\r\n][^\n]*")
_MOST_FAULTS = 20
_UNREADABLE = "is nested too deep to be read"
_SINGLE = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """``keys[n]`` is the key of ``orders[n]``, whose bytes are valid JSON, as sent."""

    keys: list[str]
    orders: list[msgspec.Raw]


class _Key:
    """Stands in for a key while reading: no two are equal, so that a key sent twice is not lost."""

    __slots__ = ()


def read_batch(body: bytearray, *, by_line: bool, settings: Settings) -> Batch:
    """Read a whole body: one JSON object, or, ``by_line``, one object of keyed orders on each line.

    Raises ApiError (400, 413) for whatever concerns the batch as a whole (contract §2). Memory: about 300
    bytes for each order beside the body itself.
    """
    if not body:
        raise ApiError(400, 'The body is empty; send one JSON object of orders, {"key": {…}, …}.')
    _check_text(body, by_line=by_line, settings=settings)
    reading = _Reading(settings)
    reading.read_all(body, by_line=by_line)
    if by_line and not reading.line_numbers:
        raise ApiError(400, 'Every line is blank; send {"key": {…}} on each, or {} for no orders.')
    _check_keys(reading, settings)
    for key, order in zip(reading.keys, reading.orders, strict=True):
        _check_order(key, order, settings)
    return Batch(keys=reading.keys, orders=reading.orders)


def read_single(body: bytearray, key: str, *, settings: Settings) -> Batch:
    """Read a whole body that is one JSON object, as the only order of a batch, under ``key``.

    Raises ApiError (400, 413) as ``read_batch`` does.
    """
    if not body:
        raise ApiError(400, "The body is empty; send one JSON object.")
    _check_text(body, by_line=None, settings=settings)
    try:
        order = _SINGLE.decode(body)
    except RecursionError:
        raise _too_deep(None, _UNREADABLE, settings) from None
    except msgspec.DecodeError as error:
        raise not_json(error, body, 0, ()) from None
    if bytes(memoryview(order)[:1]) != b"{":
        raise ApiError(400, "The body must be one JSON object.")
    _check_order(None, order, settings)
    return Batch(keys=[key], orders=[order])


def _check_text(body: bytearray, *, by_line: bool | None, settings: Settings) -> None:
    """Check that a body is UTF-8: a batch, ``by_line`` or not, or (None) one that has no keys to be named."""
    if body.startswith(_BYTE_ORDER_MARK):
        # RFC 8259 forbids senders to add one, and a reader that skips it hides a broken sender.
        raise ApiError(400, "The body begins with a byte order mark (EF BB BF); send UTF-8 without it.")
    if body.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    with memoryview(body) as view:
        for start in range(0, len(body), _UTF8_PIECE_BYTES):
            stop = start + _UTF8_PIECE_BYTES
            try:
                decoder.decode(view[start:stop], final=stop >= len(body))
            except UnicodeDecodeError as error:
                # What it complains about begins with what was left over of the piece before.
                left_over = len(error.object) - len(view[start:stop])
                at = start - left_over + error.start
                keys = () if by_line is None else _keys_before(at, body, by_line=by_line, settings=settings)
                raise not_utf8(error, at, keys) from None


def _keys_before(at: int, body: bytearray, *, by_line: bool, settings: Settings) -> list[str]:
    """Give the keys of a batch that stand before the byte ``at``, and before whatever else is wrong."""
    reading = _Reading(settings)
    with suppress(ApiError):
        reading.read_all(body, by_line=by_line, stop=at)
    return reading.keys


def _key_reader(keys: list[str], settings: Settings) -> Callable[[type, Any], _Key]:
    def read_key(_: type, key: Any) -> _Key:
        keys.append(key)
        # Here, rather than at the end: a body of nothing but tiny orders must not fill the memory first.
        if len(keys) > settings.max_orders:
            raise _too_many_orders(settings)
        return _Key()

    # Not a method: a decoder that holds its reading, which holds it, would keep the body until the next
    # collection of cycles.
    return read_key


class _Reading:
    """What has been read so far: parallel lists, for a batch may have very many orders."""

    def __init__(self, settings: Settings) -> None:
        self.keys: list[str] = []
        self.orders: list[msgspec.Raw] = []
        # The number of each line that is not blank, and the position of its first order.
        self.line_numbers: list[int] = []
        self.line_starts: list[int] = []
        self._settings = settings
        self._decoder = msgspec.json.Decoder(
            dict[_Key, msgspec.Raw], dec_hook=_key_reader(self.keys, settings)
        )

    def read_all(self, body: bytearray, *, by_line: bool, stop: int | None = None) -> None:
        """Take a body, or what of it comes before the byte ``stop``."""
        if by_line:
            for number, text in _lines(body, len(body) if stop is None else stop):
                self.read_line(number, text)
        else:
            self.read(body if stop is None else memoryview(body)[:stop], line=0)

    def read_line(self, number: int, text: memoryview) -> None:
        self.line_numbers.append(number)
        self.line_starts.append(len(self.keys))
        # Lines that hold no order cost as much as those that do.
        if len(self.line_numbers) > self._settings.max_orders:
            raise _too_many_orders(self._settings)
        self.read(text, line=number)

    def read(self, text: bytearray | memoryview, *, line: int) -> None:
        before = len(self.keys)
        try:
            self.orders.extend(self._decoder.decode(text).values())
        except RecursionError:
            key = self.keys[-1] if len(self.keys) > before else None
            raise _too_deep(key, _UNREADABLE, self._settings, _at(line)) from None
        except msgspec.ValidationError as error:
            raise ApiError(400, f"{_at(line)}{_not_an_object(error)}") from None
        except msgspec.DecodeError as error:
            raise not_json(error, text, line, self.keys if len(self.keys) > before else ()) from None


def _lines(body: bytearray, stop: int) -> Iterator[tuple[int, memoryview]]:
    """Give the number and text of each line before the byte ``stop`` that is not blank, at the speed of C."""
    view = memoryview(body)
    number, counted = 1, 0
    for found in _FILLED_LINE.finditer(body, 0, stop):
        number += body.count(b"\n", counted, found.start())
        counted = found.start()
        yield number, view[found.start() : found.end()]


def _too_many_orders(settings: Settings) -> ApiError:
    return ApiError(
        413,
        f"The batch has more than {settings.max_orders} orders, which is the limit maxOrders; "
        "send it as several batches.",
    )


def _at(line: int) -> str:
    return f"Line {line}: " if line else ""


def _not_an_object(error: msgspec.ValidationError) -> str:
    found = str(error).rpartition("got ")[2].strip("`")
    return f'The batch must be one JSON object, {{"key": order, …}}, and this is of type {found}.'


def _check_keys(reading: _Reading, settings: Settings) -> None:
    # Lengths first: whatever is told of a key afterwards has at most so many characters of it.
    longest = max(reading.keys, key=len, default="")
    if len(longest) > settings.max_key_chars:
        raise ApiError(
            413,
            f"The key {quoted(longest)} has {len(longest)} characters, and maxKeyChars is "
            f"{settings.max_key_chars}; shorten it.",
        )
    if len(set(reading.keys)) != len(reading.keys):
        raise _same_key_twice(reading)


def _same_key_twice(reading: _Reading) -> ApiError:
    twice = [key for key, count in Counter(reading.keys).items() if count > 1]
    where = _lines_of(twice[0], reading) if reading.line_numbers else ""
    others = f" (and so do {len(twice) - 1} others)" if len(twice) > 1 else ""
    return ApiError(
        400,
        f"The key {quoted(twice[0])} stands more than once in the batch{where}{others}; "
        "give every order a key of its own.",
        faults=[
            Fault(SENT_TWICE, f"/{pointer_step(key)}", "stands more than once")
            for key in twice[:_MOST_FAULTS]
        ],
    )


def _lines_of(key: str, reading: _Reading) -> str:
    first, second = [position for position, other in enumerate(reading.keys) if other == key][:2]
    one = reading.line_numbers[bisect_right(reading.line_starts, first) - 1]
    other = reading.line_numbers[bisect_right(reading.line_starts, second) - 1]
    return f", on line {one} and again on line {other}"


def _check_order(key: str | None, order: msgspec.Raw, settings: Settings) -> None:
    """Check what a worker could not bear; ``key`` is None for an order that is a body by itself."""
    size = memoryview(order).nbytes
    if size > settings.max_order_bytes:
        what, told = f"has {size} bytes", {"bytes": size, "most": settings.max_order_bytes}
        faults = [] if key is None else [Fault(TOO_LARGE, f"/{pointer_step(key)}", what, told)]
        raise ApiError(
            413,
            f"{_named(key)} {what}, and maxOrderBytes is {settings.max_order_bytes}; send fewer lines in it.",
            faults=faults,
        )
    if nests_deeper_than(settings.max_nesting, bytes(order)):
        raise _too_deep(key, f"is nested deeper than {settings.max_nesting} levels", settings)


def _too_deep(key: str | None, what: str, settings: Settings, where: str = "") -> ApiError:
    # What is too deep to be read is met before anybody has looked at the key's length.
    faults = (
        [Fault(TOO_DEEP, f"/{pointer_step(key)}", what, {"most": settings.max_nesting})]
        if key is not None and len(key) <= settings.max_key_chars
        else []
    )
    return ApiError(
        400,
        f"{where}{_named(key)} {what}, and maxNesting is {settings.max_nesting}; send it flatter.",
        faults=faults,
    )


def _named(key: str | None) -> str:
    return "The body" if key is None else f"The order {quoted(key)}"
