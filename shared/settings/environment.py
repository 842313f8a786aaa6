"""What is read from the environment beside the settings: the client's side, directories, failpoints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """Where the client commands go: ``ORDERMILL_URL``, ``ORDERMILL_API_KEY``; ``ORDERMILL_DATA_DIR``."""

    url: str
    api_key: str
    data_dir: str


def load_client_settings(environ: Mapping[str, str] | None = None) -> ClientSettings:
    """Read the client's side of the environment."""
    source = os.environ if environ is None else environ
    return ClientSettings(
        url=source.get("ORDERMILL_URL", ""),
        api_key=source.get("ORDERMILL_API_KEY", ""),
        data_dir=source.get("ORDERMILL_DATA_DIR", ""),
    )


def load_failpoints(environ: Mapping[str, str] | None = None) -> str:
    """Where the tests want this process to die: ``ORDERMILL_FAILPOINTS``. Nothing for an operator."""
    source = os.environ if environ is None else environ
    return source.get("ORDERMILL_FAILPOINTS", "")


def load_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where the embedded servers keep what is theirs: ``ORDERMILL_DATA_DIR``, else the usual place."""
    source = os.environ if environ is None else environ
    named = source.get("ORDERMILL_DATA_DIR", "")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/ordermill")
    # The XDG base directories: a relative path there is to be ignored.
    home = Path(source.get("XDG_DATA_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "share") / "ordermill"


def environment_with(**values: str) -> dict[str, str]:
    """Our own environment with some variables set anew: what a child process of ours gets."""
    return {**os.environ, **values}
