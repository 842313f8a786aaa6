"""JSON errors: what exactly is not JSON, or not UTF-8, about a body; where it is, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from api.web.errors import ApiError
from shared.domain.outcome import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

_POSITION = re.compile(r" \(byte (\d+)\)$")
# Half of an escaped surrogate pair, with something after it that does not begin the other half.
_HALF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}(?!\\u|\\?\Z)")
_ENCODED_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")


def not_utf8(error: UnicodeDecodeError, at: int, keys: Sequence[str]) -> ApiError:
    """Say that the body stops being UTF-8 at the byte ``at``, and why; ``keys`` are those before it."""
    where = f"at byte {at}{_after(keys)}"
    if _ENCODED_SURROGATE.match(error.object, error.start):
        return ApiError(
            400,
            f"The body is not UTF-8: a lone surrogate is encoded {where}; "
            "send the character itself, or leave it out.",
        )
    return ApiError(400, f"The body is not UTF-8: {error.reason} {where}; encode it as UTF-8.")


def not_json(
    error: msgspec.DecodeError, text: bytearray | memoryview, line: int, keys: Sequence[str]
) -> ApiError:
    """Say why ``text`` is not JSON, and where. It is the whole body, or that ``line`` of it (from 1).

    ``keys`` are those of the batch that were read before it, in order.
    """
    found = _POSITION.search(str(error))
    at = int(found[1]) if found else len(text)
    reason, way_out = _why(error, text, at)
    place = _location(text, at) if isinstance(text, bytearray) else f"on line {line} at byte {at} of it"
    return ApiError(400, f"The body is not JSON: {reason} {place}{_after(keys)}; {way_out}.")


def _after(keys: Sequence[str]) -> str:
    # Not "in": what is wrong may stand between this order and the next, and only a second reading could tell.
    return f", after the key {quoted(keys[-1])} of order {len(keys)}" if keys else ""


def _why(error: msgspec.DecodeError, text: bytearray | memoryview, at: int) -> tuple[str, str]:
    message = str(error)
    cut_short = message == "Input data was truncated"
    # A half makes the decoder wait for the other half: it finds something else, or the end of the body.
    half = (cut_short or "escape" in message) and _HALF_A_PAIR.search(bytes(text[max(0, at - 14) : at + 3]))
    if "surrogate" in message or half:
        return "a lone surrogate is escaped", "send the whole pair, the character itself, or nothing"
    if cut_short:
        return "it ends too early", "send all of it"
    if bytes(text[at : at + 8]).startswith((b"NaN", b"Infinity")):
        return "NaN and Infinity are not numbers in JSON", "send null, or leave the field out"
    reason = _POSITION.sub("", message).removeprefix("JSON is malformed: ")
    return reason, 'send one JSON object, {"key": {…}, …}'


def _location(text: bytearray, at: int) -> str:
    column = at - text.rfind(b"\n", 0, at)
    return f"at byte {at} (line {text.count(10, 0, at) + 1}, column {column})"
