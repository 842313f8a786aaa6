"""What the clients did and were told: in memory for the verdict, and in a file for whoever looks into one."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.faults.checks import Violation
from tests.faults.options import AS_USUAL

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from tests.faults.goods import Wanted
    from tests.faults.options import Options
    from tests.faults.told import Told


@dataclass(frozen=True)
class Answer:
    """What a client was told of a batch."""

    status: int
    job_path: str
    body: bytes


BATCHES: Final = "/v1/orders"
"""Where batches are sent to."""
COMPLETIONS: Final = "/v1/order/"
"""What the path of a completion begins with."""


@dataclass
class Sent:
    """A batch that was sent, perhaps often, and all that became known of it; or a completion, or a retry.

    Those that try one another's orders again have their ``chain`` in common.
    """

    name: str
    body: bytes
    wanted: dict[str, Wanted]
    idempotency_key: str | None
    path: str = BATCHES
    prefer: str = ""
    options: Options = AS_USUAL
    """Those that its job has."""
    to_be_cancelled: bool = False
    """Whether its client means to cancel it as soon as it is accepted."""
    retry_of: Sent | None = None
    chain: dict[str, list[Sent]] = field(default_factory=dict)
    """Of each key the retries that have tried it, the last one last."""
    request_ids: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    unknown: int = 0
    """Times that it is not known what came of it: no answer, or one that says so."""
    refused: int = 0
    """Times that it was said that nothing had been accepted."""
    seen: list[bytes] = field(default_factory=list)
    """Results as they were while the job ran."""
    told: list[Told] = field(default_factory=list)
    """Its job as its client was told of it, in that order."""
    final: bytes | None = None
    """All its outcomes, once they had been read."""
    cancel_asked: bool = False
    """Whether its client has asked for it to be cancelled, whatever was answered."""
    delete_asked: bool = False
    deleted: bool = False
    """Whether its client was told that it is deleted."""
    done: bool = False
    begun: float = 0.0
    """When it was first sent, by a clock that is never set."""
    took_seconds: float | None = None
    """How long after that it was seen to be done."""

    @property
    def is_batch(self) -> bool:
        """Whether it is one, and neither a completion nor a retry."""
        return self.path.startswith(BATCHES)

    @property
    def is_keyed(self) -> bool:
        """Whether its outcomes stand under keys; a completion's stands alone."""
        return not self.path.startswith(COMPLETIONS)

    @property
    def usual(self) -> bool:
        """Whether it is a batch that is waited for and left alone, so that its time tells something."""
        return self.path == BATCHES and not self.prefer

    def finish(self) -> None:
        """All of it has been seen to be done."""
        if not self.done:
            self.done = True
            self.took_seconds = time.monotonic() - self.begun

    @property
    def may_be_cancelled(self) -> bool:
        """Whether orders of it may be told to be cancelled."""
        return self.cancel_asked or self.options.max_failed is not None

    @property
    def job_path(self) -> str:
        """The job that the batch was said to be, or ``""``."""
        return self.answers[0].job_path if self.answers else ""


@dataclass
class Followed:
    """A job that somebody followed, beside its client."""

    sent: Sent
    how: str
    told: list[Told] = field(default_factory=list)


class Journal:
    """Shared by all clients."""

    def __init__(self, path: Path) -> None:
        self.sent: list[Sent] = []
        self.followed: list[Followed] = []
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

    def follow(self, followed: Followed) -> None:
        """A job is about to be followed."""
        with self._lock:
            self.followed.append(followed)

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
