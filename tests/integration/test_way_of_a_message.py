"""The way of a message through the worker: few frames from Celery's task to the decision, and few ``try``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from shared.domain.slicing import LARGE_QUEUE
from tests.house.tree import ROOT
from tests.support.orders import order
from tests.support.worker_harness import WorkerHarness
from worker.tasks import run_settle

PLACING_FRAMES_MAX = 6
"""From the task's own cover to where a transaction's orders are placed."""
TRIES_MAX = 2
"""That are open at once by then."""
_WORKER = (ROOT / "worker").as_posix()


@dataclass
class Stack:
    """What calls ``name`` in the worker: the frames of ours above it, the outermost first."""

    name: str
    frames: list[str] = field(default_factory=list)
    tries: int = 0

    def look(self, frame: FrameType, event: str, _: Any) -> None:
        """Note the stack when the function is called for the first time."""
        if event == "call" and not self.frames and frame.f_code.co_name == self.name:
            above = [one for one in _above(frame) if one.f_code.co_filename.startswith(_WORKER)]
            self.frames = [one.f_code.co_name for one in reversed(above)]
            self.tries = sum(_open_tries(one.f_code.co_filename, one.f_lineno) for one in above)


def _above(frame: FrameType) -> Iterator[FrameType]:
    found: FrameType | None = frame
    while found is not None:
        yield found
        found = found.f_back


@cache
def _tries(path: str) -> tuple[tuple[int, int], ...]:
    """The first and last lines of what each ``try`` with a handler guards."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    guarded = (node.body for node in ast.walk(tree) if isinstance(node, ast.Try) and node.handlers)
    return tuple((body[0].lineno, body[-1].end_lineno or body[-1].lineno) for body in guarded)


def _open_tries(path: str, line: int) -> int:
    return sum(first <= line <= last for first, last in _tries(path))


def test_from_the_task_to_where_orders_are_placed_there_are_six_frames_and_two_tries(
    worker: WorkerHarness,
) -> None:
    worker.stock("BRASS-LAMP", main=5)
    slice_ids = worker.accept({"a": order(), "b": order()}, per=1)
    context = worker.context()
    stack = Stack("place_orders")

    sys.setprofile(stack.look)
    try:
        run_settle(lambda: context, slice_ids, LARGE_QUEUE)
    finally:
        sys.setprofile(None)

    assert worker.outcomes()["a"]["status"] == "ok"
    assert stack.frames[0] == "run_settle"
    assert len(stack.frames) <= PLACING_FRAMES_MAX, stack.frames
    assert stack.tries <= TRIES_MAX, stack.frames
