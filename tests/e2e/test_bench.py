"""The bench runs: every rival, every scenario, as small as they go. What they measure here means nothing."""

from __future__ import annotations

import json

from bench.__main__ import as_json, measure, show
from bench.run import Size

SMALL = Size(
    rounds=1,
    batch=300,
    slow_batch=10,
    scale=(120, 300),
    singles=2,
    seconds=0.2,
    tens=5,
    big_job=1_000,
    shaped=100,
)


def test_every_rival_writes_the_same_rows_and_every_goal_has_a_ratio() -> None:
    # It raises where a rival has not written exactly its rows, or not reserved exactly its stock.
    results = measure(SMALL, lambda _: None)

    assert {one.name.partition(": ")[2] for one in results.figures if one.name.startswith("one batch")} == {
        "limit",
        "copy-limit",
        "ordermill",
        "celery-per-order",
        "direct",
        "ordermill, one hot item",
        "ordermill, one worker process",
        "dry",
        "wet",
    }
    assert len(results.goals) == 27
    assert [goal.name for goal in results.goals if goal.ratio <= 0] == []
    assert [one.name for one in results.profiles] == ["1 worker process", "2 worker processes"]
    assert all(one.cpu_micros["worker"] > 0 for one in results.profiles)
    show(results)
    figures = json.loads(json.dumps(as_json(results)))
    assert figures["machine"]["cores"] >= 1
