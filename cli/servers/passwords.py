"""The passwords of the embedded servers: random ones, made once, in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


class PasswordFile:
    """A JSON object of role and password. Whoever deletes it has new ones made at the next start."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, str]:
        """The passwords; none when there is no file yet."""
        try:
            told: dict[str, str] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        return told

    def write(self, passwords: Mapping[str, str]) -> None:
        """Put them there, whole or not at all."""
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".passwords-")
        with os.fdopen(handle, "w") as file:
            json.dump(dict(passwords), file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self._path)
