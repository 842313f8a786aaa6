"""Mails as .eml files, for an installation without a mail server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from shared.domain.delivery import ClaimedElsewhere, Deferred, Delivered, Delivery
from shared.private_files import make_private_directory
from worker.mail.message import Letter


class FilePost:
    """Writes mails into a directory of ours, made closed to all others: they hold names and addresses."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def deliver(self, letter: Letter, claim: Callable[[], bool]) -> Delivery:
        """Write a mail, whole or not at all, once ``claim`` agrees. Raises only what ``claim`` raises."""
        written: Path | None = None
        try:
            make_private_directory(self._directory)
            written = self._write(letter.wire)
            if not claim():
                return ClaimedElsewhere()
            written.replace(self._directory / f"{letter.number}.eml")
        except OSError as error:
            return Deferred(f"{type(error).__name__}: {error.strerror}")
        finally:
            if written is not None:
                # Gone from under this name when all went well.
                written.unlink(missing_ok=True)
        return Delivered()

    def _write(self, mail: bytes) -> Path:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._directory)
        with os.fdopen(handle, "wb") as file:
            file.write(mail)
            file.flush()
            os.fsync(handle)
        return Path(name)
