"""Which of a job's outcomes are asked for (contract §5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OutcomeFilter:
    """Everything that is not None must hold. Positions are those of the batch, counted from 0.

    ``ok``: created or prepared, or rejected. Of rejected ones the code, and a reason that is among theirs.
    ``after`` is the position before the first that may be chosen, ``until`` that of the last.
    """

    ok: bool | None = None
    code: int | None = None
    reason: str | None = None
    after: int | None = None
    until: int | None = None

    @property
    def reads_outcomes(self) -> bool:
        """Whether an outcome has to be looked at to know whether it is chosen."""
        return (self.ok, self.code, self.reason) != (None, None, None)

    def has_position(self, position: int) -> bool:
        """Whether what stands at this position may be chosen."""
        return (self.after is None or position > self.after) and (
            self.until is None or position <= self.until
        )

    def has_outcome(self, *, ok: bool, code: int | None, reasons: Collection[str]) -> bool:
        """Whether such an outcome is chosen, wherever it stands."""
        return (
            (self.ok is None or ok == self.ok)
            and (self.code is None or code == self.code)
            and (self.reason is None or self.reason in reasons)
        )
