"""Group commit: who comes alone waits for nobody, and who comes late shares the next commit."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

import pytest

from api.orders.group_commit import GROUPS_MAX, GroupCommit, Submission
from tests.support.until import until

FOR_EVER = 60.0
"""So long a group keeps others from beginning, if it does not end: no test takes that much time."""


@dataclass
class Store:
    """Commits one group after another, when it is permitted to, and keeps what they were."""

    groups: list[list[Submission]] = field(default_factory=list)
    permits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    fault: BaseException | None = None

    def __call__(self, group: list[Submission]) -> None:
        self.groups.append(group)
        assert self.permits.acquire(timeout=10)
        if self.fault is not None:
            raise self.fault


def submission(size_bytes: int = 1) -> Submission:
    return Submission(id=uuid4(), size_bytes=size_bytes)


def come(store: Store, groups: GroupCommit[Submission], *submissions: Submission) -> list[threading.Thread]:
    """Each in a thread of its own, one after another: the first of them begin groups, the others wait."""
    threads = []
    for nth, one in enumerate(submissions, start=1):
        threads.append(threading.Thread(target=groups.submit, args=(one,), daemon=True))
        threads[-1].start()
        until(partial(have_come, store, groups, nth))
    return threads


def have_come(store: Store, groups: GroupCommit[Submission], submitted: int) -> bool:
    return len(store.groups) + groups.waiting_count() == submitted


def has_stored(store: Store, groups: int) -> bool:
    return len(store.groups) >= groups


def all_gone(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


def test_a_batch_that_comes_alone_waits_for_nobody() -> None:
    done: list[list[Submission]] = []
    groups: GroupCommit[Submission] = GroupCommit(done.append, 100, FOR_EVER)
    ones = [submission() for _ in range(GROUPS_MAX)]

    for one in ones:
        groups.submit(one)

    assert done == [[one] for one in ones]


def test_batches_that_come_while_groups_are_in_progress_share_the_next_commit() -> None:
    store = Store()
    groups = GroupCommit(store, 100, FOR_EVER)
    first, late = [submission() for _ in range(GROUPS_MAX)], [submission() for _ in range(5)]
    threads = come(store, groups, *first, *late)
    store.permits.release(10)

    groups.finish(first[0].id)

    assert all_gone(threads)
    assert store.groups == [*([one] for one in first), late]


def test_the_answer_to_a_request_that_committed_no_group_begins_none() -> None:
    store = Store()
    groups = GroupCommit(store, 100, FOR_EVER)
    first, late = [submission() for _ in range(GROUPS_MAX)], submission()
    come(store, groups, *first, late)

    groups.finish(late.id)
    groups.finish(uuid4())

    assert len(store.groups) == GROUPS_MAX
    store.permits.release(10)


def test_a_group_that_does_not_end_delays_others_for_a_short_time_only() -> None:
    done: list[list[Submission]] = []
    groups = GroupCommit(done.append, 100, 0.05)

    for _ in range(GROUPS_MAX + 1):
        groups.submit(submission())

    assert [len(group) for group in done] == [1] * (GROUPS_MAX + 1)


def test_an_error_of_the_thread_that_commits_ends_the_wait_of_its_group_and_of_the_next() -> None:
    store = Store(fault=RuntimeError("ours"))
    groups = GroupCommit(store, 100, FOR_EVER)
    raised: list[str] = []
    threading.excepthook, before = lambda args: raised.append(str(args.exc_value)), threading.excepthook
    try:
        first, late = [submission() for _ in range(GROUPS_MAX)], [submission() for _ in range(3)]
        threads = come(store, groups, *first, *late)
        store.permits.release(10)

        assert all_gone(threads)
    finally:
        threading.excepthook = before
    # The threads that committed were told; the others of their groups were not.
    assert raised == ["ours"] * len(store.groups)
    assert sum(map(len, store.groups)) == len(first) + len(late)
    store.fault = None
    groups.submit(submission())


@pytest.mark.parametrize(
    ("sizes", "shared"), [([60, 40], [2]), ([60, 41], [1, 1]), ([200, 1], [1, 1]), ([1] * 20, [20])]
)
def test_a_group_has_at_most_so_many_bytes_or_one_batch(sizes: list[int], shared: list[int]) -> None:
    store = Store()
    groups = GroupCommit(store, 100, FOR_EVER)
    first = [submission() for _ in range(GROUPS_MAX)]
    threads = come(store, groups, *first, *(submission(size) for size in sizes))
    store.permits.release(30)
    # Each that ends lets one more begin.
    for number in range(len(shared)):
        until(partial(has_stored, store, GROUPS_MAX + number))
        groups.finish(store.groups[number][0].id)

    assert all_gone(threads)
    assert [len(group) for group in store.groups[GROUPS_MAX:]] == shared
