"""The supervisor: restarts roles of ordermill that die as child processes, and stops all of them in order.

Of the kept libraries, honcho's Manager ends everything as soon as one process exits and restarts nothing;
circus and supervisor are daemons with a control socket and a configuration of their own to talk to.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Sequence

import structlog

from cli.processes.child import ChildPlan, SupervisedChild
from cli.processes.watchdog import OFTEN_DEATHS
from cli.system.stop_signals import StopRequest

log = structlog.get_logger()

_LOOK_SECONDS = 0.25

Say = Callable[[str, str], None]
"""Takes a child's name and a line that it wrote."""


class Supervisor:
    """Runs groups of children; the order of the groups is the order in which they are stopped."""

    def __init__(self, groups: Sequence[Sequence[ChildPlan]], say: Say, stop: StopRequest) -> None:
        self._groups = [[SupervisedChild(plan) for plan in group] for group in groups]
        self._children = [child for group in self._groups for child in group]
        self._say = say
        self._stop = stop

    def run(self, each_time: Callable[[], None], before_stop: Callable[[], None]) -> int:
        """Run until asked to stop, then 0; until a child keeps dying, then 1.

        ``each_time`` is called a few times a second, ``before_stop`` once. Whatever is raised, none is left.
        """
        try:
            for child in self._children:
                child.start()
            while not self._stop.asked:
                self._relay(_LOOK_SECONDS)
                if not all(self._look_after(child) for child in self._children):
                    return 1
                each_time()
            log.info("stopping")
            return 0
        finally:
            before_stop()
            for group in self._groups:
                self._stop_group(group)

    def _look_after(self, child: SupervisedChild) -> bool:
        """Notice a death and plan the restart, or do it when it is due; false to give up."""
        if child.restart_at is not None:
            if time.monotonic() >= child.restart_at:
                child.start()
            return True
        if child.running:
            if child.missed_ping():
                log.error("child_silent", child=child.plan.name, restarts=True)
                # Not asked: it may be unable to hear, and what it holds is somebody else's at once.
                child.kill()
            return True
        code = child.exit_code
        self._tell(child)
        child.clear()
        may_start_again = child.died()
        if child.plan.watchdog is not None and child.quick_deaths >= OFTEN_DEATHS:
            child.plan.watchdog.dies_often()
        if may_start_again:
            log.warning("child_died", child=child.plan.name, exit_code=code, restarts=True)
            return True
        log.error(
            "child_keeps_dying", child=child.plan.name, exit_code=code, last_lines=list(child.last_lines)
        )
        return False

    def _stop_group(self, group: Sequence[SupervisedChild]) -> None:
        for child in group:
            child.ask_to_stop()
        begun = time.monotonic()
        deadlines = [(child, begun + child.plan.grace_seconds) for child in group]
        while any(child.running and time.monotonic() < deadline for child, deadline in deadlines):
            self._relay(0.05)
        for child in group:
            if child.running:
                log.warning("child_killed", child=child.plan.name, grace_seconds=child.plan.grace_seconds)
            self._tell(child)
            child.clear()

    def _relay(self, seconds: float) -> None:
        """Pass on what the children write, for at most so long."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stop.ready, selectors.EVENT_READ)
            for child in self._children:
                if child.may_write:
                    selector.register(child.output, selectors.EVENT_READ, child)
            for key, _ in selector.select(seconds):
                if isinstance(key.data, SupervisedChild):
                    self._tell(key.data)
                else:
                    os.read(key.fd, 4096)

    def _tell(self, child: SupervisedChild) -> None:
        for line in child.read_lines():
            self._say(child.plan.name, line)
