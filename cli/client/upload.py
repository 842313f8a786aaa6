"""A file on its way to the server: read while it is sent, and again if it has to be sent again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON = "application/json"
NDJSON = "application/x-ndjson"
_NDJSON_NAMES = (".ndjson", ".jsonl")
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Upload:
    """A body of ``size`` bytes: a file that stays on the disk, or what was read from a pipe."""

    source: Path | bytes
    size: int
    content_type: str

    def chunks(self, sent: Callable[[int], None]) -> Iterator[bytes]:
        """Every byte from the start, in pieces; ``sent`` gets the count of bytes before each next piece."""
        done = 0
        for chunk in self._pieces():
            yield chunk
            done += len(chunk)
            sent(done)

    def _pieces(self) -> Iterator[bytes]:
        if isinstance(self.source, bytes):
            for start in range(0, self.size, _CHUNK_BYTES):
                yield self.source[start : start + _CHUNK_BYTES]
            return
        with self.source.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk


def open_upload(file: str, *, ndjson: bool = False) -> Upload:
    """Make an upload of ``file``; ``-`` is standard input. Raises OSError.

    A name ending in .ndjson or .jsonl, or ``ndjson``, makes it lines of JSON.
    """
    content_type = NDJSON if ndjson or file.endswith(_NDJSON_NAMES) else JSON
    path = Path(file)
    if file != "-" and path.is_file():
        return Upload(path, path.stat().st_size, content_type)
    # A pipe can be read only once and has no size beforehand.
    body = sys.stdin.buffer.read() if file == "-" else path.read_bytes()
    return Upload(body, len(body), content_type)
