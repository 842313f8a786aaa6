"""What the door says when it takes nothing: a status, and the seed's own envelope (CONTRACT 1)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GENERAL_CODE = -7
_SHOWN_CHARS = 60


@dataclass(frozen=True)
class Fault:
    """One of several things that are wrong; ``pointer`` is its place in the body (RFC 6901)."""

    pointer: str
    msg: str


@dataclass
class Refusal(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """The whole request is refused: nothing was accepted, nothing stored."""

    status: int
    msg: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def envelope(self) -> dict[str, Any]:
        """Give the body of the answer."""
        body: dict[str, Any] = {"status": "no", "code": GENERAL_CODE, "msg": self.msg}
        if self.faults:
            body["errors"] = [{"pointer": fault.pointer, "msg": fault.msg} for fault in self.faults]
        return body


def shown(text: str) -> str:
    """Quote a client's text for a message: shortened, and escaped where it would not print."""
    short = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
    return json.dumps(short, ensure_ascii=not short.isprintable())


def pointer_to(key: str) -> str:
    """Give the JSON pointer to a batch's key (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
