"""What was told of a job, one answer after the other, and what can be wrong with the answers alone."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from tests.faults.checks import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.faults.journal import Sent
    from tests.faults.options import Options

CANCELLED: Final = "cancelled"
"""The answer to who cancelled a job, among the ways in which a job is told."""

# The later a state, the higher; whatever a done job can be is one step.
_STEPS: Final = {"queued": 0, "running": 1, "cancelling": 2}
_DONE: Final = 3


@dataclass(frozen=True, kw_only=True)
class Told:
    """A job as it was told once; ``how``: by which kind of answer."""

    how: str
    step: int
    total: int
    pending: int
    ok: int
    failed: int
    cancelled: int
    rejected: int
    """The sum of its codes."""
    content: str
    """A digest of all of it."""
    tag: str = ""
    """Its entity tag, or the id of its event; ``""``: it had none."""
    at: float = 0.0
    """When the answer had come, in seconds since 1970."""

    @property
    def done(self) -> bool:
        """Whether it was told to be done."""
        return self.step == _DONE


def told_of(job: dict[str, Any], how: str, tag: str = "") -> Told:
    """What a job's JSON tells. One without codes or states has none that are wrong."""
    step = _DONE if job["done"] else _STEPS.get(job.get("state", "running"), _DONE)
    return Told(
        how=how,
        step=step,
        **{name: job[name] for name in ("total", "pending", "ok", "failed", "cancelled")},
        rejected=sum(job["codes"].values()) if "codes" in job else job["failed"],
        content=hashlib.sha256(json.dumps(job).encode()).hexdigest(),
        tag=tag.removeprefix("W/").strip('"'),
        at=time.time(),
    )


def broken_telling(name: str, sent: Sent, told: Sequence[Told]) -> Iterator[Violation]:
    """What is wrong with what one observer was told of a batch's job, in that order."""
    for one in told:
        adds_up = one.ok + one.failed + one.cancelled + one.pending == one.total == len(sent.wanted)
        if not adds_up or one.rejected != one.failed:
            yield Violation("a job's counts add up", f"{name}: {one}")
        if one.cancelled and not sent.may_be_cancelled:
            yield Violation("nothing is cancelled that nobody cancels", f"{name}: {one}")
        if one.how == CANCELLED and one.step < _STEPS["cancelling"]:
            yield Violation("who cancels is told so", f"{name}: {one}")
        yield from _broken_options(name, sent.options, one)
    for before, after in pairwise(told):
        if _runs_backwards(before, after):
            yield Violation("a job never runs backwards", f"{name}: {after}, {before} before")
    contents: dict[str, str] = {}
    for one in told:
        if one.tag and contents.setdefault(one.tag, one.content) != one.content:
            yield Violation("a tag stands for one answer", f"{name}: {one}")


def _broken_options(name: str, options: Options, one: Told) -> Iterator[Violation]:
    if options.not_before is not None and one.at < options.not_before and one.ok + one.failed:
        yield Violation(
            "nothing is decided before its time", f"{name}: {one}, not before {options.not_before}"
        )
    most = options.max_failed
    if most is not None and one.failed > most and one.step < _STEPS["cancelling"]:
        yield Violation(
            "a job of which too much is rejected cancels itself", f"{name}: {one}, {most} at most"
        )


def _runs_backwards(before: Told, after: Told) -> bool:
    counts = ("ok", "failed", "cancelled")
    return (
        after.step < before.step
        or after.total != before.total
        or any(getattr(after, count) < getattr(before, count) for count in counts)
    )
