from __future__ import annotations

from dataclasses import replace

from cli.processes.child import BACKOFF, QUICK_DEATHS_MAX, ChildPlan, SupervisedChild


def child() -> SupervisedChild:
    return SupervisedChild(ChildPlan(name="worker", command=["true"], environment={}, grace_seconds=1))


def test_each_quick_death_doubles_the_wait_and_the_fifth_is_the_last() -> None:
    dying = child()
    waits, goes_on = [], []

    for _ in range(QUICK_DEATHS_MAX):
        goes_on.append(dying.died(now=100.0))
        assert dying.restart_at is not None
        waits.append(dying.restart_at - 100.0)

    assert waits == [1, 2, 4, 8, 16]
    assert goes_on == [True, True, True, True, False]


def test_deaths_a_minute_apart_are_forgiven_for_ever() -> None:
    dying = child()

    for minute in range(20):
        assert dying.died(now=minute * 61.0)
        assert dying.restart_at == minute * 61.0 + 1


def test_no_wait_is_longer_than_the_longest() -> None:
    slow = SupervisedChild(
        ChildPlan(
            name="w",
            command=["true"],
            environment={},
            grace_seconds=1,
            backoff=replace(BACKOFF, first_seconds=20),
        )
    )

    slow.died(now=0.0)
    slow.died(now=1.0)

    assert slow.restart_at == 1.0 + BACKOFF.most_seconds
