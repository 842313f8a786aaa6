"""What a campaign is run against: ordermill, or what else one might have built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    import httpx
    from redis import Redis
    from sqlalchemy import Engine

    from tests.faults.journal import Journal
    from tests.faults.verdict import Verdict
    from tests.support.role_stack import RoleStack


class Subject(ABC):
    """A running stack with the campaign's goods in its database.

    Its API answers as ordermill's does: ``POST /v1/orders``, ``GET /v1/jobs/<id>`` and ``…/results``.
    """

    completes: ClassVar[bool]
    """Whether prepared orders can be completed."""
    changes_jobs: ClassVar[bool]
    """Whether jobs can be cancelled, retried, deleted, followed, and decided in the order that was sent."""
    reads_spellings: ClassVar[bool]
    """Whether orders may come in all the spellings of real clients."""
    unfit: ClassVar[frozenset[str]] = frozenset()
    """Kinds of faults that it has no part for."""
    queues: ClassVar[Sequence[str]]
    """The Redis lists from which workers take messages."""
    task: ClassVar[str]
    """The name of the task that those messages are for."""
    hostile_key: str = ""
    """The API key of clients that mean harm; without one there are none."""
    healing_seconds: ClassVar[float]
    """How long after the last fault everything may take to be decided."""

    def __init__(self, stack: RoleStack, engine: Engine, key: str) -> None:
        self.stack = stack
        self.engine = engine
        self.key = key

    @abstractmethod
    def restock(self, client: httpx.Client) -> None:
        """Count the counted items anew, so that there is something to be had again."""

    @abstractmethod
    def double_messages(self, redis: Redis, chance: random.Random) -> bool:
        """Put messages into the queues once more, in any order. False: there were none."""

    @abstractmethod
    def undecided(self, redis: Redis) -> set[str]:
        """The keys of the orders that somebody still has in hand."""

    @abstractmethod
    def judge(self, journal: Journal) -> Verdict:
        """Hold what is there against what clients were told, with all that it promises."""
