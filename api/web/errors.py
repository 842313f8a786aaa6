"""API errors: a whole request refused, with a status and the envelope (CONTRACT 1)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.schemas.outcome import fault_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.domain.outcome import Fault

GENERAL_CODE = -7
_SHOWN_CHARS = 60


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


def shown(text: str) -> str:
    """Quote a client's text for a message: shortened, and escaped where it would not print."""
    short = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
    return json.dumps(short, ensure_ascii=not short.isprintable())


def pointer_to(key: str) -> str:
    """Give the JSON pointer to a batch's key (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
