"""Which outcomes are chosen: those to which everything applies that is asked for."""

from __future__ import annotations

import pytest

from shared.domain.outcome import field_name
from shared.domain.outcome_filter import OutcomeFilter


def test_what_asks_for_nothing_chooses_everything() -> None:
    everything = OutcomeFilter()

    assert not everything.reads_outcomes
    assert everything.has_position(0)
    assert everything.has_outcome(ok=False, code=-2, reasons=[])


def test_positions_lie_behind_one_and_up_to_another() -> None:
    some = OutcomeFilter(after=1, until=3)

    assert [position for position in range(5) if some.has_position(position)] == [2, 3]
    assert not some.reads_outcomes


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (OutcomeFilter(ok=True), False),
        (OutcomeFilter(ok=False), True),
        (OutcomeFilter(code=-2), True),
        (OutcomeFilter(code=-1), False),
        (OutcomeFilter(reason="stock_short"), True),
        (OutcomeFilter(reason="item_unknown"), False),
        (OutcomeFilter(ok=False, code=-2, reason="item_unknown"), False),
    ],
)
def test_an_outcome_is_chosen_when_all_of_it_applies(wanted: OutcomeFilter, chosen: bool) -> None:
    assert wanted.has_outcome(ok=False, code=-2, reasons=["stock_short"]) is chosen


def test_people_count_lines_from_1() -> None:
    assert field_name("/products/0/sku", first=1) == "products[1].sku"
    assert field_name("/products/0/sku") == "products[0].sku"
