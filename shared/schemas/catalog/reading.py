"""The bytes of a catalog file → plain JSON values, with exact numbers and nothing silently dropped.

The standard library's parser: unlike the fast ones it can be asked about names that stand twice in an object,
and says line and column where the JSON breaks off. It reads the 30 MB of 100,000 items in about a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from shared.domain.catalog_file import CatalogRefusedError
from shared.domain.outcome import quoted

CATALOG_MAX_BYTES: Final = 1024**3
_INT_CHARS: Final = 20

# Only a file that has one of these escapes, or a NUL, can hold text that PostgreSQL cannot store.
_SUSPECT: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class _Repeating(dict[str, Any]):
    """An object in whose text a name stands twice."""

    repeated: str


def read_json(raw: bytes) -> dict[str, Any]:
    """Read a catalog file's text. Raises CatalogRefusedError if it is no JSON object that can be stored."""
    if len(raw) > CATALOG_MAX_BYTES:
        raise CatalogRefusedError(
            [f"the file has {len(raw):,} bytes; {CATALOG_MAX_BYTES:,} are the most: load it in parts"]
        )
    text = _decoded(raw)
    seen_twice: list[bool] = []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        seen_twice.append(True)
        return _repeating(pairs)

    try:
        document = _parsed(text, object_of)
        faults = list(_faults(document, "")) if seen_twice or _SUSPECT.search(text) else []
    except RecursionError:
        raise CatalogRefusedError(["arrays and objects are nested too deep"]) from None
    if faults:
        raise CatalogRefusedError(faults)
    if not isinstance(document, dict):
        raise CatalogRefusedError([f"a catalog is a JSON object of lists, not {quoted(document)}"])
    return document


def at_name(pointer: str, name: str) -> str:
    """``items[3].stock`` and ``Main`` → ``items[3].stock.Main``; a name that is no word is quoted."""
    if not name.isidentifier():
        return f"{pointer}[{quoted(name)}]"
    return f"{pointer}.{name}" if pointer else name


def _decoded(raw: bytes) -> str:
    try:
        # Some programs mark UTF-8 by a byte order mark.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CatalogRefusedError(
            [f"line {line}: byte 0x{raw[error.start]:02X} is not UTF-8; save the file as UTF-8"]
        ) from None


def _parsed(text: str, object_of: Any) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=object_of,
            parse_int=lambda digits: int(digits) if len(digits) <= _INT_CHARS else _exact(digits),
            parse_float=_exact,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise CatalogRefusedError(
            [f"line {error.lineno}, column {error.colno}: this is not JSON: {error.msg}"]
        ) from None


def _refuse_constant(word: str) -> NoReturn:
    raise CatalogRefusedError([f"{word} is not JSON; a number has digits"])


def _exact(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:  # an exponent beyond what Decimal can hold; no field takes an infinite number
        return Decimal("Infinity")


def _repeating(pairs: list[tuple[str, Any]]) -> _Repeating:
    found = _Repeating()
    for name, value in pairs:
        if name in found:
            found.repeated = name
        found[name] = value
    return found


def _faults(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, str) and _UNSTORABLE.search(value):
        yield f"{pointer}: {quoted(value)} has a character in it that cannot be stored; take it out"
    elif isinstance(value, dict):
        if isinstance(value, _Repeating):
            yield f"{at_name(pointer, value.repeated)}: stands twice in one object; keep one"
        for name, inner in value.items():
            if _UNSTORABLE.search(name):
                yield f"{pointer}: {quoted(name)} has a character in it that cannot be stored; take it out"
            else:
                yield from _faults(inner, at_name(pointer, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _faults(inner, f"{pointer}[{at}]")
