"""The programs that a run starts, side by side, and stops together."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx
import psutil

STOP_SECONDS = 30
BATCH_SECONDS = 1_800


class Programs:
    """What is running; all of it is stopped at the end of the block."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []
        self._clients: list[httpx.Client] = []

    def __enter__(self) -> Self:
        """Begin the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all of them side by side."""
        for client in self._clients:
            client.close()
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, command: list[str], environment: Mapping[str, str], log: Path) -> int:
        """Start a program whose output is appended to ``log``; gives its process id."""
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                command, env=dict(environment), stdout=output, stderr=output, start_new_session=True
            )
        self._running.append(process)
        return process.pid

    def client_of(self, url: str) -> httpx.Client:
        """A client of one of them."""
        client = httpx.Client(base_url=url, timeout=BATCH_SECONDS)
        self._clients.append(client)
        return client


def peak_bytes(pid: int) -> int:
    """The most memory that this process, or one of those that it has started, has had (VmHWM)."""
    process = psutil.Process(pid)
    statuses = [
        Path(f"/proc/{one.pid}/status").read_text(encoding="ascii")
        for one in (process, *process.children(recursive=True))
    ]
    return max(int(status.split("VmHWM:")[1].split()[0]) * 1024 for status in statuses)
