"""A short campaign; `python -m tests.faults --minutes 20` is the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.faults.baselines.baseline import BASELINES
from tests.faults.beside import as_markdown
from tests.faults.campaign import Plan, run_campaign
from tests.faults.report import as_json, show

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.faults


def test_nothing_is_lost_doubled_or_oversold_while_everything_is_killed(tmp_path: Path) -> None:
    campaign = run_campaign(Plan(seconds=60, seed=1, keep_in=tmp_path))

    show(campaign, Console())
    assert campaign.violations == []
    assert len(campaign.faults) >= 10
    assert campaign.orders >= 500
    assert campaign.verdict.accepted > 20
    assert campaign.recovered_seconds is not None
    assert campaign.lives["cancelled jobs"] > 0
    assert campaign.lives["ordered batches"] > 0


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_driven_and_counted_in_the_same_way(name: str, tmp_path: Path) -> None:
    plan = Plan(
        seconds=10, seed=1, kinds=["worker child killed", "doubled"], pause_seconds=1, keep_in=tmp_path
    )

    campaign = run_campaign(plan, BASELINES[name])

    assert set(campaign.faults) <= {"worker child killed", "messages doubled and shuffled"}
    assert campaign.harm.accepted > 10
    assert campaign.harm.oversold_units == 0
    assert name == "celery" or campaign.harm.doubled == 0
    assert f"| {campaign.harm.accepted:,} |" in as_markdown({name: as_json(campaign)})
