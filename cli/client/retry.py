"""The body of a retry, made of what a command was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from cli.errors import NotDoneError


@dataclass(frozen=True, kw_only=True)
class RetryOptions:
    """Which rejected orders are meant, at most in one way; none: those that are retryable."""

    codes: Sequence[int] = ()
    reasons: Sequence[str] = ()
    keys: Sequence[str] = ()
    everything: bool = False
    orders: Path | None = None

    @property
    def given(self) -> list[str]:
        """The options that were given, as one types them."""
        ways = {
            "--code": self.codes,
            "--reason": self.reasons,
            "--key": self.keys,
            "--all": self.everything,
            "--orders": self.orders,
        }
        return [name for name, value in ways.items() if value]

    def body(self) -> bytes:
        """What the server is sent. Raises UsageError, and NotDoneError for a file that cannot be read."""
        if len(self.given) > 1:
            raise click.UsageError(f"{' and '.join(self.given)} choose in two ways; give one of them.")
        if self.orders is not None:
            return msgspec.json.encode({"orders": msgspec.Raw(_read(self.orders))})
        if self.everything:
            return b'{"all":true}'
        chosen = {"codes": self.codes, "reasons": self.reasons, "keys": self.keys}
        return msgspec.json.encode({name: list(value) for name, value in chosen.items() if value})


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotDoneError(f"{file} cannot be read: {error.strerror or error}.") from error
