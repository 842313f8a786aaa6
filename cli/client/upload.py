"""A file on its way to the server: read while it is sent, and again if it has to be sent again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import NotDoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON = "application/json"
NDJSON = "application/x-ndjson"
_NDJSON_NAMES = (".ndjson", ".jsonl")
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Upload:
    """A body of ``size`` bytes: a file that stays on the disk, or what was read from a pipe.

    ``sha256`` is the digest of those bytes: what they are called by, and what must be sent.
    """

    source: Path | bytes
    size: int
    content_type: str
    sha256: bytes

    def chunks(self, sent: Callable[[int], None]) -> Iterator[bytes]:
        """Every byte from the start, in pieces; ``sent`` gets the count of bytes before each next piece.

        Raises NotDoneError where they are not the bytes that the digest was made of. The last piece is kept
        back until that is known: no server can take for whole what is sent under another content's key.
        """
        done, held, digest = 0, b"", sha256()
        for chunk in _pieces(self.source, self.size):
            if held:
                yield held
                done += len(held)
                sent(done)
            digest.update(chunk)
            held = chunk
        if digest.digest() != self.sha256:
            raise NotDoneError("The file was changed while it was sent; submit it again when it is whole.")
        if held:
            yield held
            sent(done + len(held))


def _pieces(source: Path | bytes, limit_bytes: int | None = None) -> Iterator[bytes]:
    """What ``source`` holds, up to ``limit_bytes``: what was added to a file since is not part of it."""
    if isinstance(source, bytes):
        for start in range(0, len(source), _CHUNK_BYTES):
            yield source[start : start + _CHUNK_BYTES]
        return
    left = sys.maxsize if limit_bytes is None else limit_bytes
    with source.open("rb") as file:
        while chunk := file.read(min(_CHUNK_BYTES, left)):
            yield chunk
            left -= len(chunk)


def upload_of(source: Path | bytes, content_type: str) -> Upload:
    """Make an upload of a file on the disk, which is read once for it, or of bytes. Raises OSError."""
    size, digest = 0, sha256()
    for chunk in _pieces(source):
        size += len(chunk)
        digest.update(chunk)
    return Upload(source, size, content_type, digest.digest())


def open_upload(file: str, *, ndjson: bool = False) -> Upload:
    """Make an upload of ``file``; ``-`` is standard input. Raises OSError.

    A name ending in .ndjson or .jsonl, or ``ndjson``, makes it lines of JSON.
    """
    content_type = NDJSON if ndjson or file.endswith(_NDJSON_NAMES) else JSON
    path = Path(file)
    if file != "-" and path.is_file():
        return upload_of(path, content_type)
    # A pipe can be read only once and has no size beforehand.
    return upload_of(sys.stdin.buffer.read() if file == "-" else path.read_bytes(), content_type)
