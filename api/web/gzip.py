"""gzip of responses, piece by piece, for clients that take it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flask import Request

# What any client sends has some dozens of characters.
_MOST_CHARS: Final = 1_000
# Outcomes repeat themselves: the fastest level makes a tenth of them, and more would keep the processor.
_LEVEL: Final = 1
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def takes_gzip(request: Request) -> bool:
    """Whether a request says that its client takes gzip; a header that is too long says nothing."""
    header = request.headers.get("Accept-Encoding", "")
    return len(header) <= _MOST_CHARS and request.accept_encodings["gzip"] > 0


def gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Compress each piece so that it can be read when it comes. What cuts the pieces short leaves no end."""
    compressor = zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW)
    for piece in pieces:
        yield compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()
