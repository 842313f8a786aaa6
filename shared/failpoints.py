"""Failpoints: places on a batch's way where the tests make a process die. Unarmed, they do nothing.

``ORDERMILL_FAILPOINTS`` arms them when a role starts: ``point:action[:permit[:marker]]``, several with
commas. The action happens where the file ``permit`` can be removed, so once for each time that somebody makes
it; without a permit it happens always. With a ``marker`` it happens only to what holds these bytes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.settings import SettingsError

POINTS = (
    # The API.
    "after-insert",
    "after-dispatch",
    # A worker.
    "after-take",
    "after-claim",
    "after-write",
    "after-commit",
    "after-announce",
    # The scheduler.
    "after-due",
)
"""Each between two steps, in that order: insert, dispatch, answer; taking a slice (which counts an attempt),
claim, write, commit, announcement, acknowledgement; noting a new dispatch, doing it."""

log = structlog.get_logger()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _run_out_of_memory() -> None:
    raise MemoryError


_ACTIONS: Mapping[str, Callable[[], None]] = {"die": _die, "stop": _stop, "memory": _run_out_of_memory}


@dataclass(frozen=True)
class Failpoint:
    """What happens at a point, and when."""

    point: str
    act: Callable[[], None]
    permit: Path | None
    marker: bytes

    def meet(self, concerns: bytes) -> None:
        """Act if this is what it waits for."""
        if self.marker in concerns and self._permitted():
            self.act()

    def _permitted(self) -> bool:
        if self.permit is None:
            return True
        try:
            # Of several processes exactly one removes it.
            self.permit.unlink()
        except FileNotFoundError:
            return False
        return True


_armed: tuple[Failpoint, ...] | None = None


def failpoint(point: str, concerns: bytes = b"") -> None:
    """Reach a point; ``concerns`` is what is being worked on there."""
    if _armed is None:
        return
    for one in _armed:
        if one.point == point:
            one.meet(concerns)


def arm(specification: str) -> None:
    """Arm points for the rest of this process and for its children. Raises SettingsError."""
    global _armed  # noqa: PLW0603 - a parameter would go through every function between here and the points
    if specification:
        _armed = tuple(_read(one) for one in specification.split(","))
        log.warning("failpoints_armed", points=specification)


def _read(specification: str) -> Failpoint:
    point, action, permit, marker = (*specification.split(":", 3), "", "", "")[:4]
    if point not in POINTS or action not in _ACTIONS:
        raise SettingsError(
            f"ORDERMILL_FAILPOINTS holds {specification!r}; it takes point:action[:permit[:marker]], "
            f"with a point of {', '.join(POINTS)} and an action of {', '.join(_ACTIONS)}."
        )
    return Failpoint(point, _ACTIONS[action], Path(permit) if permit else None, marker.encode())
