"""The decision: drafts and stock in, outcomes and what is to be written out. Pure: nothing here waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shared.domain.allocation import (
    Allocation,
    AvailableStock,
    Shortage,
    allocate,
    allocate_what_is_there,
)
from shared.domain.draft import Doomed, Draft
from shared.domain.outcome import Created, Fault, Outcome, Prepared, Rejected, quoted, reject
from shared.domain.parsed import as_sent
from shared.domain.reasons import STOCK_SHORT
from shared.domain.rejections import number_repeated
from shared.domain.splitting import Part, split
from shared.domain.values import value
from shared.domain.vouchers import Uses


@value(frozen=True, slots=True)
class Placement:
    """An order that will exist: its parts, each to be written under a number of its own."""

    draft: Draft
    parts: tuple[Part, ...]

    @property
    def automatic_numbers(self) -> int:
        """How many numbers it needs beside an explicit one."""
        return len(self.parts) - (self.draft.request.order_number is not None)

    def numbered(self, automatic: Iterator[int]) -> Numbered:
        """Give each part its number; an explicit one goes to the first part."""
        explicit = self.draft.request.order_number
        first = next(automatic) if explicit is None else explicit
        return Numbered(self, (first, *(next(automatic) for _ in self.parts[1:])))


@value(frozen=True, slots=True)
class Numbered:
    """A placement and the numbers of its parts."""

    placement: Placement
    numbers: tuple[int, ...]

    def outcome(self) -> Outcome:
        """What the client is told."""
        if self.placement.draft.request.create_only:
            return Prepared(self.numbers[0])
        return Created(self.numbers)


def decide(
    drafts: Sequence[Draft | Doomed | Rejected], available: AvailableStock, uses: Uses
) -> list[Placement | Rejected]:
    """Decide the drafts in order; each sees the stock and the vouchers that the earlier ones left.

    ``available.reserved()`` and ``uses.redeemed()`` afterwards are what the placements take.
    """
    claimed: set[int] = set()
    return [_decide_one(draft, available, uses, claimed) for draft in drafts]


def _decide_one(
    draft: Draft | Doomed | Rejected, available: AvailableStock, uses: Uses, claimed: set[int]
) -> Placement | Rejected:
    if isinstance(draft, Rejected):
        return draft
    if isinstance(draft, Doomed):
        _, used_up = uses.usable(draft.vouchers)
        return reject(as_sent([*draft.faults, *used_up], draft.element_names))
    return _decide_draft(draft, available, uses, claimed)


def _decide_draft(
    draft: Draft, available: AvailableStock, uses: Uses, claimed: set[int]
) -> Placement | Rejected:
    draft, faults = _with_usable_vouchers(draft, uses)
    number = draft.request.order_number
    if number is not None and number in claimed:
        faults.append(number_repeated(number))
    allocation = _allocate(draft, available)
    if isinstance(allocation, Shortage):
        faults.extend(_shortage_faults(draft, allocation))
    if faults or isinstance(allocation, Shortage):
        return reject(as_sent(faults, draft.request.element_names))
    uses.redeem(draft.vouchers)
    if number is not None:
        claimed.add(number)
    if draft.request.create_only:
        return Placement(draft, split_later(draft))
    available.reserve(allocation.reservations)
    return Placement(draft, split(draft, allocation))


def stands_while_covered(
    drafts: Sequence[Draft | Doomed | Rejected], decided: Sequence[Placement | Rejected]
) -> bool:
    """Whether these decisions come out the same from any stock that has at least what they take.

    So they do where every order gets all that it wants from the warehouse that its rule tries first: what
    else there is, is not looked at then. A no says only that this is not known.
    """
    return all(
        isinstance(draft, Rejected)
        or (isinstance(draft, Draft) and isinstance(decision, Placement) and _is_first_choice(decision))
        for draft, decision in zip(drafts, decided, strict=True)
    )


def _is_first_choice(placement: Placement) -> bool:
    draft = placement.draft
    request = draft.request
    if request.force_create or request.create_only or any(one.voucher.limited for one in draft.vouchers):
        return False
    first = draft.rule.warehouse_ids[:1]
    return all(
        (reservation.warehouse_id,) == first for part in placement.parts for reservation in part.reservations
    )


def _with_usable_vouchers(draft: Draft, uses: Uses) -> tuple[Draft, list[Fault]]:
    if not draft.vouchers:
        return draft, []
    usable, faults = uses.usable(draft.vouchers)
    return replace(draft, vouchers=tuple(usable)), faults


def split_later(draft: Draft) -> tuple[Part, ...]:
    """createOnly: one part that holds every line and no stock; completing it may split it."""
    whole = split(draft, Allocation(()))
    return whole if len(whole) == 1 else (_joined(draft, whole),)


def _joined(draft: Draft, parts: tuple[Part, ...]) -> Part:
    lines = sorted((pl for part in parts for pl in part.lines), key=lambda pl: pl.line.line)
    return Part(tuple(lines), (), draft.totals)


def _allocate(draft: Draft, available: AvailableStock) -> Allocation | Shortage:
    if draft.request.force_create:
        return allocate_what_is_there(draft.demands, draft.rule, available)
    return allocate(draft.demands, draft.rule, available)


def _shortage_faults(draft: Draft, shortage: Shortage) -> list[Fault]:
    skus = {line.item.id: line.sku for line in draft.lines if line.item is not None}
    return [
        Fault(
            STOCK_SHORT,
            f"/products/{missing.lines[0]}",
            f"{missing.wanted} wanted, {missing.available} available of SKU {quoted(skus[missing.item_id])}",
            {"wanted": missing.wanted, "available": missing.available, "sku": skus[missing.item_id]},
        )
        for missing in shortage.missing
    ]
