"""Options of a batch: how its orders are decided, and what is told of its job (contract §5)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NOT_BEFORE_MOST: Final = timedelta(days=7)
"""How far ahead a batch may be sent: what it holds is kept meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOptions:
    """How the orders of a batch are decided: what a worker has to know of them."""

    dry_run: bool = False
    """``validateOnly``: they are decided, and nothing of it stays."""
    atomic: bool = False
    """All of them are made or none."""
    ordered: bool = False
    """One after the other, in the order that was sent."""
    unique_keys: bool = False
    """A key under which the client has an order makes no second."""
    max_failed: int | None = None
    """The job cancels itself as soon as more than so many are rejected; None: however many are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions(DecisionOptions):
    """All that may be asked for with a batch; ``not_before`` is in UTC."""

    not_before: datetime | None = None
    """None of its orders is decided sooner."""
    reference: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """Label by name; in the order of their names."""

    def is_early(self, moment: datetime) -> bool:
        """Whether nothing may be decided yet at this moment."""
        return self.not_before is not None and self.not_before > moment

    def of_retry(self) -> BatchOptions:
        """The options of a job that tries orders of this one again: its own, at once."""
        return replace(self, not_before=None)

    @property
    def told(self) -> dict[str, Any]:
        """What differs from what is usual, by name, ready for a JSON writer: equal for equal options."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.not_before is not None:
            values["not_before"] = self.not_before.astimezone(UTC).isoformat()
        usual = {one.name: getattr(AS_USUAL, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value != usual[name]}


AS_USUAL: Final = BatchOptions()
"""Those of a batch that asks for none."""
