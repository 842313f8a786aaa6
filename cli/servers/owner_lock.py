"""The owner lock: one process at a time runs the servers of a data directory; others may use them.

Two locks, both let go by the kernel when their holder dies. ``servers.lock`` is the owner's. ``servers.use``
is shared by everybody who found the servers running; an owner that had started them just for itself takes it
alone before it stops them, and so waits for the others.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from shared.private_files import open_private


@dataclass(frozen=True)
class ServerUrls:
    """Where the servers are."""

    database_url: str
    """As the plain role, which reads and writes rows."""
    redis_url: str
    migrate_database_url: str = ""
    """As the owner of the tables; ``""`` is ``database_url``."""
    superuser_url: str = ""
    """As the embedded server's superuser, for operators and tests; ``""`` for a server that is named."""


class FileLock:
    """An advisory lock on a file, for processes of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self, *, shared: bool = False, limit_seconds: float | None = 0) -> bool:
        """Try for so long (None: for ever), and say whether it is ours."""
        # Whoever can read it can hold it, and stop every command.
        file = os.fdopen(open_private(str(self._path), os.O_RDWR | os.O_CREAT | os.O_APPEND), "a+")
        wanted = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        deadline = time.monotonic() + (limit_seconds or 0)
        while True:
            try:
                fcntl.flock(file, wanted | (fcntl.LOCK_NB if limit_seconds is not None else 0))
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    file.close()
                    return False
                time.sleep(0.05)
                continue
            self._file = file
            return True

    def release(self) -> None:
        """Let it go, if it is ours."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def sign(self) -> None:
        """Write our process id into it, for others to read; only its holder does this."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.write(f"{os.getpid()}\n")
            self._file.flush()


def signer(path: Path) -> int | None:
    """The process id that the last holder wrote into a lock."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def publish(path: Path, urls: ServerUrls) -> None:
    """Tell the others where the servers are. The file is its owner's alone: the URLs may hold a password."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".servers-")
    with os.fdopen(handle, "w") as file:
        json.dump({**asdict(urls), "pid": os.getpid()}, file)
    Path(name).replace(path)


def published(path: Path, owner: int | None) -> ServerUrls | None:
    """What the present owner has published, None when it has not yet (a dead owner's file does not count)."""
    try:
        told = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    if owner is None or told["pid"] != owner:
        return None
    return ServerUrls(**{name: told[name] for name in told if name != "pid"})
