"""Restarts of servers that die, by a thread of its own, so that nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

log = structlog.get_logger()

_LOOK_SECONDS = 0.25


class Revivable(Protocol):
    """What can be kept: :class:`cli.servers.RunningServers` is."""

    def revive(self) -> list[str]:
        """Start again what has died, which may take minutes, and name it."""
        ...

    def give_up(self) -> None:
        """Have a ``revive`` that is under way end soon, with whatever it raises then."""
        ...


@contextmanager
def kept_alive(servers: Revivable) -> Iterator[Callable[[], None]]:
    """Revive ``servers`` for as long as the block lasts; what it gives raises the fault that ended this.

    The kernel stops with this thread what it has started, so the block's end should be the servers' end.
    """
    over = threading.Event()
    faults: list[Exception] = []

    def keep() -> None:
        try:
            while not over.wait(_LOOK_SECONDS):
                for name in servers.revive():
                    log.warning("server_restarted", server=name)
        except Exception as fault:  # noqa: BLE001 - raised where it is looked for
            faults.append(fault)
            # Not the end yet: what this thread has started would end with it, before those who use it.
            over.wait()

    def look() -> None:
        if faults:
            raise faults[0]

    thread = threading.Thread(target=keep, name="servers", daemon=True)
    thread.start()
    try:
        yield look
    finally:
        over.set()
        servers.give_up()
        thread.join()
