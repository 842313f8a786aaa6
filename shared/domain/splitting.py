"""Splitting of a completed order by its rule; the money of the parts is the money of the whole."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from shared.domain.allocation import Allocation, Reservation
from shared.domain.catalog import AllocationRule, SplitBy
from shared.domain.currencies import unit
from shared.domain.draft import DraftLine
from shared.domain.pricing import ZERO, Totals, shares
from shared.domain.values import value


@value(frozen=True, slots=True)
class PartLine:
    """So many units of a line in one part, and how many of them are back-ordered (all or none)."""

    line: DraftLine
    quantity: int
    back_ordered: int = 0


@value(frozen=True, slots=True)
class Part:
    """One order to be written, with a number of its own."""

    lines: tuple[PartLine, ...]
    reservations: tuple[Reservation, ...]
    totals: Totals


class Splittable(Protocol):
    """An order that may have to be split: a draft, or what was prepared."""

    @property
    def lines(self) -> tuple[DraftLine, ...]:
        """Its lines."""

    @property
    def rule(self) -> AllocationRule:
        """What it is split by."""

    @property
    def totals(self) -> Totals:
        """What it comes to."""

    @property
    def currency(self) -> str:
        """What its money is counted in."""


def split(draft: Splittable, allocation: Allocation) -> tuple[Part, ...]:
    """The parts of an order, at least one; those that ship come first, in the rule's order.

    ``allocation`` must cover or back-order every line that asks for stock.
    """
    if draft.rule.split is SplitBy.NONE and not allocation.back_ordered and _all_ship(draft):
        # As nearly every order: one part, with the lines as they are.
        whole = tuple([PartLine(line, line.request.quantity) for line in draft.lines])
        return (Part(whole, allocation.reservations, draft.totals),)
    groups = _groups(draft, allocation)
    return _with_money(draft, [group for group in groups if group[0]])


def _all_ship(draft: Splittable) -> bool:
    for line in draft.lines:  # noqa: SIM110 - asked of every order: a loop takes half of all()'s time
        if not line.shippable:
            return False
    return True


_Group = tuple[tuple[PartLine, ...], tuple[Reservation, ...]]


def _groups(draft: Splittable, allocation: Allocation) -> list[_Group]:
    waiting = tuple(
        PartLine(line, line.request.quantity, line.request.quantity)
        for line in draft.lines
        if line.line in allocation.back_ordered or not line.shippable
    )
    apart = {part_line.line.line for part_line in waiting}
    ready = [line for line in draft.lines if line.line not in apart]
    if draft.rule.split is SplitBy.WAREHOUSE and allocation.reservations:
        return [*_by_warehouse(draft, allocation), (waiting, ())]
    together = tuple(PartLine(line, line.request.quantity) for line in ready)
    if draft.rule.split is SplitBy.AVAILABILITY:
        return [(together, allocation.reservations), (waiting, ())]
    in_order = tuple(sorted((*together, *waiting), key=lambda part_line: part_line.line.line))
    return [(in_order, allocation.reservations)]


def _by_warehouse(draft: Splittable, allocation: Allocation) -> list[_Group]:
    groups = []
    lines = {line.line: line for line in draft.lines}
    for warehouse_id in draft.rule.warehouse_ids:
        reservations = tuple(
            reservation for reservation in allocation.reservations if reservation.warehouse_id == warehouse_id
        )
        groups.append(
            (
                tuple(
                    PartLine(lines[reservation.line], reservation.quantity) for reservation in reservations
                ),
                reservations,
            )
        )
    return groups


def _with_money(draft: Splittable, groups: list[_Group]) -> tuple[Part, ...]:
    if len(groups) == 1:
        return (Part(*groups[0], draft.totals),)
    line_sums = [sum((pl.line.unit_price * pl.quantity for pl in lines), ZERO) for lines, _ in groups]
    # Shipping is charged once, with the first part.
    shipping = [draft.totals.shipping, *(ZERO for _ in groups[1:])]
    weights: list[Decimal] = [a + b for a, b in zip(line_sums, shipping, strict=True)]
    vouchers = shares(draft.totals.voucher, weights, unit(draft.currency))
    return tuple(
        Part(lines, reservations, Totals(line_sums[i], shipping[i], vouchers[i]))
        for i, (lines, reservations) in enumerate(groups)
    )
