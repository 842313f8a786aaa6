"""A catalog as the text of a file: a row a line, so that two exports can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson


def catalog_text(lists: Iterable[tuple[str, Iterable[str]]]) -> Iterator[bytes]:
    """Make the file from ``(list, rows as JSON texts)``, bit by bit. Lists without a row are left out."""
    yield b"{"
    between = b"\n"
    for name, rows in lists:
        before = between + orjson.dumps(name) + b": [\n"
        empty = True
        for row in rows:
            # Read and written again: spaces and escapes are then the same whoever wrote the row.
            yield before + b" " + orjson.dumps(orjson.loads(row))
            before, empty = b",\n", False
        if not empty:
            yield b"\n]"
            between = b",\n"
    yield b"\n}\n"
