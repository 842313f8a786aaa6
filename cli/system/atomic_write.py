"""Atomic write: a file is there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cli.errors import NotDoneError


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of ``path`` when the block ends well, and else is gone.

    Raises NotDoneError if it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as being_made:
            try:
                yield being_made
                being_made.flush()
                os.fsync(being_made.fileno())
                # The mode of a file that the user had made himself, not that of a temporary one.
                Path(being_made.name).chmod(0o666 & ~_umask())
                Path(being_made.name).replace(path)
            except BaseException:
                Path(being_made.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise NotDoneError(f"{path} cannot be written: {error.strerror or error}.") from error


def _umask() -> int:
    # The only way to read it is to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
