"""What the clients did and were told: in memory for the verdict, and in a file for whoever looks into one."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.faults.checks import Violation

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from tests.faults.goods import Wanted


@dataclass(frozen=True)
class Answer:
    """What a client was told of a batch."""

    status: int
    job_path: str
    body: bytes


BATCHES: Final = "/v1/orders"
"""Where batches are sent to."""


@dataclass
class Sent:
    """A batch that was sent, perhaps several times, and all that became known of it; or a completion."""

    name: str
    body: bytes
    wanted: dict[str, Wanted]
    idempotency_key: str | None
    path: str = BATCHES
    request_ids: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    unknown: int = 0
    """Times that it is not known what came of it: no answer, or one that says so."""
    refused: int = 0
    """Times that it was said that nothing had been accepted."""
    seen: list[bytes] = field(default_factory=list)
    """Results as they were while the job ran."""
    decided: int = 0
    """The most orders that were ever said to be decided."""
    done: bool = False
    begun: float = 0.0
    """When it was first sent, by a clock that is never set."""
    took_seconds: float | None = None
    """How long after that it was seen to be done."""

    @property
    def is_batch(self) -> bool:
        """Whether it is one; a completion's answer stands under no key."""
        return self.path == BATCHES

    def finish(self) -> None:
        """All of it has been seen to be done."""
        self.done = True
        self.took_seconds = time.monotonic() - self.begun

    @property
    def job_path(self) -> str:
        """The job that the batch was said to be, or ``""``."""
        return self.answers[0].job_path if self.answers else ""


class Journal:
    """Shared by all clients."""

    def __init__(self, path: Path) -> None:
        self.sent: list[Sent] = []
        self.violations: list[Violation] = []
        self._lock = threading.Lock()
        self._file: TextIO = path.open("a", encoding="utf-8")

    def begin(self, sent: Sent) -> None:
        """A batch is about to be sent for the first time."""
        sent.begun = time.monotonic()
        digest = hashlib.sha256(sent.body).hexdigest()
        with self._lock:
            self.sent.append(sent)
        self.note("batch", sent, orders=len(sent.wanted), sha256=digest, key=sent.idempotency_key)

    def note(self, event: str, sent: Sent, **details: Any) -> None:
        """Write an event down before anything else happens."""
        self.write(event, batch=sent.name, **details)

    def write(self, event: str, **details: Any) -> None:
        """Write down what is no batch's own."""
        line = json.dumps({"t": round(time.time(), 3), "event": event, **details})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def accuse(self, rule: str, what: str) -> None:
        """A client has seen a rule broken."""
        with self._lock:
            self.violations.append(Violation(rule, what))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
