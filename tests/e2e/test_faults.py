"""A short campaign; `python -m tests.faults --minutes 20` is the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.faults.campaign import Plan, run_campaign
from tests.faults.report import show

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.faults


def test_nothing_is_lost_doubled_or_oversold_while_everything_is_killed(tmp_path: Path) -> None:
    campaign = run_campaign(Plan(seconds=45, seed=1, keep_in=tmp_path))

    show(campaign, Console())
    assert campaign.violations == []
    assert len(campaign.faults) >= 10
    assert campaign.orders >= 500
    assert campaign.verdict.accepted > 20
