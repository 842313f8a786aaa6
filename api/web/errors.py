"""API errors: a whole request refused, with a status and the envelope (contract §1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.schemas.outcome import fault_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.domain.outcome import Fault

GENERAL_CODE = -7


@dataclass
class ApiError(Exception):
    """The whole request is refused: nothing was accepted, nothing stored. ``faults`` point into its body."""

    status: int
    msg: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def envelope(self) -> dict[str, Any]:
        """Give the body of the response."""
        body: dict[str, Any] = {"status": "no", "code": GENERAL_CODE, "msg": self.msg}
        if self.faults:
            body["errors"] = [fault_json(fault) for fault in self.faults]
        return body
