"""The feed of changes: which orders were made or changed, in the order in which that became visible."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from shared.domain.order_list import ListedOrder


@dataclass(frozen=True, slots=True, order=True)
class ChangePlace:
    """A place in the feed: behind a number, by its ``position``, in a row that a transaction has written."""

    transaction_id: int = 0
    row_id: int = 0
    position: int = 0


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """A place, and of which beginning of the feed: another's transactions are others."""

    generation: int
    place: ChangePlace


class From(Enum):
    """Where a reader begins that has no cursor."""

    BEGINNING = "beginning"
    NOW = "now"


class NoPlace(Enum):
    """Why there is nothing to be read behind a cursor."""

    OTHER_FEED = "other_feed"
    """It is another database's, or from before this feed began anew."""
    NOT_REACHED = "not_reached"
    """This feed has not come so far."""
    BEGINS_ANEW = "begins_anew"
    """The server is another one than before, and the feed is about to begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """How many changed orders, behind which place, and of which markets; None: of every one."""

    after: ChangeCursor | From
    limit: int
    market_ids: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An order's number at its place in the feed, and its market."""

    place: ChangePlace
    number: int
    market_id: int


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Orders that were made or changed, each once and as it is now; ``more``: further changes are there."""

    orders: Sequence[ListedOrder]
    cursor: ChangeCursor
    more: bool


@dataclass(frozen=True, slots=True)
class SeenChanges:
    """Which orders a page has of the changes that were looked at, in their order, and how far those go."""

    numbers: tuple[int, ...]
    behind: ChangePlace
    """The place of the last change that was looked at."""
    before: tuple[ChangePlace, ...]
    """For each of the numbers, the last place that was looked at before it."""

    def first(self, count: int) -> SeenChanges:
        """The same of the first so many orders."""
        if count >= len(self.numbers):
            return self
        return SeenChanges(self.numbers[:count], self.before[count], self.before[:count])


def see(
    changes: Iterable[Change], after: ChangePlace, limit: int, market_ids: Collection[int] | None
) -> SeenChanges:
    """Look at changes in their order for so many orders of these markets, each taken once."""
    before: dict[int, ChangePlace] = {}
    behind = after
    for change in _until_full(changes, before, limit, market_ids):
        if change.number not in before and _is_seen(change, market_ids):
            before[change.number] = behind
        behind = change.place
    return SeenChanges(tuple(before), behind, tuple(before.values()))


def _until_full(
    changes: Iterable[Change],
    found: Collection[int],
    limit: int,
    market_ids: Collection[int] | None,
) -> Iterator[Change]:
    for change in changes:
        if len(found) == limit and change.number not in found and _is_seen(change, market_ids):
            return
        yield change


def _is_seen(change: Change, market_ids: Collection[int] | None) -> bool:
    return market_ids is None or change.market_id in market_ids
