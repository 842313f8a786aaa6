"""A part of a message: the slices that are settled in one transaction, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID, uuid4


class Way(Enum):
    """How slices are settled; each later one for when the one before it met what will not pass."""

    TOGETHER = "together"
    """Several, that nobody has attempted, in one transaction."""
    ALONE = "alone"
    APART = "apart"
    """One, with each order behind a savepoint."""
    CUT = "cut"
    """Not at all: one, cut up into slices of one order each."""


@dataclass(frozen=True, slots=True)
class MessagePart:
    """Slices of a message, and how settling them has gone so far."""

    slice_ids: tuple[int, ...]
    way: Way
    token: UUID = field(default_factory=uuid4)
    """The name of the attempt, the same for every try of it."""
    instead_of: UUID | None = None
    """The name of the attempt at several that goes on with this part."""
    tries: int = 0
    waited_seconds: float = 0.0
    """What those tries took that met a lock's limit."""
