"""Mails as .eml files, for an installation without a mail server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from shared.domain.delivery import HandedOver, Handover, Later, NotOurs
from worker.mail.message import Letter


class FilePost:
    """Writes mails into a directory that only its owner can enter: they hold names and addresses."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def hand_over(self, letter: Letter, claim: Callable[[], bool]) -> Handover:
        """Write a mail, whole or not at all, once ``claim`` agrees. Raises only what ``claim`` raises."""
        written: Path | None = None
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = self._write(letter.wire)
            if not claim():
                return NotOurs()
            written.replace(self._directory / f"{letter.number}.eml")
        except OSError as error:
            return Later(f"{type(error).__name__}: {error.strerror}")
        finally:
            if written is not None:
                # Gone from under this name when all went well.
                written.unlink(missing_ok=True)
        return HandedOver()

    def _write(self, mail: bytes) -> Path:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._directory)
        with os.fdopen(handle, "wb") as file:
            file.write(mail)
            file.flush()
            os.fsync(handle)
        return Path(name)
