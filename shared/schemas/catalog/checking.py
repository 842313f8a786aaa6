"""Plain JSON values → the rows of a catalog, and every fault of it that the file alone shows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields

from shared.domain.catalog_file import CatalogFile, Progress
from shared.domain.outcome import quoted
from shared.domain.vouchers import code_key, compared
from shared.schemas.catalog.lists import ListOf, catalog_lists, without_nulls
from shared.schemas.catalog.reading import at_name, read_json

_ROWS_BETWEEN_TICKS: Final = 1_000
_MOST_ID_CHARS: Final = 20


def read_catalog(raw: bytes, zone: ZoneInfo, progress: Progress) -> CatalogFile:
    """Read a catalog file (contract §7). ``zone`` is that of dates that name none.

    ``progress(step, done, total)`` is told how far the checking is. What is wrong with single values stands
    in the ``faults`` of what is returned, to be told together with what only the database knows.
    Raises CatalogRefusedError if the bytes are no JSON object that can be stored.
    """
    progress("reading", 0, 1)
    document = read_json(raw)
    kinds = catalog_lists(zone)
    faults = [
        _unknown(name, at_name("", name), kinds, "the catalog") for name in document if name not in kinds
    ]
    faults.extend(
        f"{name}: {quoted(found)} is not an array"
        for name, found in document.items()
        if name in kinds and not isinstance(found, list | None)
    )
    lists = {name: found for name, found in document.items() if name in kinds and isinstance(found, list)}
    written = {name: _texts(found, kinds[name].unique[0]) for name, found in lists.items()}
    rows = {_attribute(name): found for name, found in _checked_lists(lists, kinds, faults, progress)}
    return CatalogFile(**rows, written=written, faults=faults)


def _checked_lists(
    lists: Mapping[str, list[Any]], kinds: Mapping[str, ListOf], faults: list[str], progress: Progress
) -> Iterator[tuple[str, list[Any]]]:
    total = sum(map(len, lists.values()))
    done = 0
    for name, kind in kinds.items():
        found = lists.get(name, [])
        faults.extend(_repeats(name, kind, found))
        tick = partial(_tick, progress, done, total)
        yield name, list(_checked(name, kind, found, faults, tick))
        done += len(found)
    progress("checking", total, total)


def _tick(progress: Progress, before: int, total: int, at: int) -> None:
    progress("checking", before + at, total)


def _checked(
    name: str, kind: ListOf, found: list[Any], faults: list[str], tick: Callable[[int], None]
) -> Iterator[Any]:
    sets: dict[tuple[str, ...], frozenset[str]] = {}
    for at, raw in enumerate(found):
        if at % _ROWS_BETWEEN_TICKS == 0:
            tick(at)
        # The plain values of 100,000 items weigh as much as their rows: each is let go when its row is made.
        found[at] = None
        pointer = f"{name}[{at}]"
        if not isinstance(raw, dict):
            faults.append(f"{pointer}: {quoted(raw)} is not an object")
            continue
        try:
            names = tuple(raw)
            # Most rows of a list name the same members: one set for all of them.
            named = sets.setdefault(names, frozenset(names))
            yield kind.row(at, named, **kind.schema.load(without_nulls(kind.schema, raw)))
        except ValidationError as error:
            faults.extend(_told(error.messages, pointer, kind.schema, kind.noun))


def _told(messages: Any, pointer: str, schema: Schema | None, noun: str) -> Iterator[str]:
    """Flatten marshmallow's nested messages to lines that start with where it is."""
    if not isinstance(messages, dict):
        yield from (f"{pointer}: {message}" for message in messages)
        return
    for key, inner in messages.items():
        if key == "_schema":
            yield from _told(inner, pointer, schema, noun)
        elif isinstance(key, int):
            yield from _told(inner, f"{pointer}[{key}]", schema, noun)
        elif schema is not None and inner == [schema.error_messages["unknown"]]:
            known = [field.data_key or name for name, field in schema.fields.items()]
            yield _unknown(key, at_name(pointer, key), known, noun)
        else:
            yield from _told(inner, at_name(pointer, key), _schema_of(schema, key), "this object")


def _schema_of(schema: Schema | None, key: str) -> Schema | None:
    field = next((f for n, f in schema.fields.items() if key == (f.data_key or n)), None) if schema else None
    if isinstance(field, fields.List):
        field = field.inner
    return field.schema if isinstance(field, fields.Nested) else None


def _unknown(name: str, pointer: str, known: Iterable[str], noun: str) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    way_out = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
    return f"{pointer}: is unknown in {noun}; {way_out}"


def _repeats(name: str, kind: ListOf, found: list[Any]) -> Iterator[str]:
    for field in kind.unique:
        first: dict[str | int | Decimal, int] = {}
        for at, raw in enumerate(found):
            value = raw.get(field) if isinstance(raw, dict) else None
            if field == "id" and isinstance(value, str) and value.isdecimal():
                value = int(value[:_MOST_ID_CHARS])
            if not isinstance(value, str | int | Decimal):
                continue
            earlier = first.setdefault(_key(field, value), at)
            if earlier != at:
                other = found[earlier][field]
                spelled = "" if other == value else f", there spelled {quoted(other)}"
                whose = f"is the {field} of {name}[{earlier}] already{spelled}"
                yield f"{name}[{at}].{field}: {quoted(value)} {whose}"


def _key(field: str, value: str | int | Decimal) -> str | int | Decimal:
    """What is the same for two spellings of one name; of a voucher's code, in any case."""
    if not isinstance(value, str):
        return value
    return code_key(value) if field == "code" else compared(value)


def _texts(found: list[Any], field: str) -> frozenset[str]:
    values = (raw.get(field) for raw in found if isinstance(raw, dict))
    return frozenset(compared(value) for value in values if isinstance(value, str))


def _attribute(name: str) -> str:
    """``allocationRules`` → ``allocation_rules``."""
    return re.sub(r"[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
