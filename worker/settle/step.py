"""One step of a message: what came of one try at one of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.settle.close_slices import SliceReport
from worker.settle.part import MessagePart
from worker.settle.retry import Decision


@dataclass(slots=True)
class Step:
    """What came of a part; ``decision`` and ``error`` are None where it met nothing."""

    part: MessagePart
    reports: Sequence[SliceReport] = ()
    further: list[MessagePart] = field(default_factory=list)
    """What else the part asked for: too much for one transaction, or not to be shared."""
    decision: Decision | None = None
    error: BaseException | None = None
    seconds: float = 0.0
