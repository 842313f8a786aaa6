"""The campaign's checks of jobs: each accuses a journal that is forged to break it, and no honest one."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.followers import Event, events_of
from tests.faults.goods import OK, TURNS, Wanted, batch_in_turn
from tests.faults.harm import Harm, harm_of
from tests.faults.job_checks import (
    broken_tellings,
    half_made,
    made_twice,
    miscounted,
    numbers_of_dry_run,
    out_of_turn,
    outcomes_changed,
    strangers_named,
    wrongly_cancelled,
)
from tests.faults.journal import Followed, Sent
from tests.faults.options import Options
from tests.faults.retries import retry_of
from tests.faults.told import CANCELLED, Told, told_of

MADE: dict[str, Any] = {"status": "ok", "orders": [7]}
STOPPED: dict[str, Any] = {"status": "no", "code": -7, "retryable": True, "errors": [{"reason": "cancelled"}]}
SHORT: dict[str, Any] = {"status": "no", "code": -2, "retryable": True, "errors": [{"reason": "stock_short"}]}


def sent(count: int = 10, **known: Any) -> Sent:
    wanted = {f"k{n}": Wanted({"products": []}, frozenset({OK})) for n in range(count)}
    return Sent("c0-1", b"{}", wanted, None, **known)


def job(state: str = "running", **counts: int) -> dict[str, Any]:
    told = {"total": 10, "ok": 0, "failed": 0, "cancelled": 0, **counts}
    pending = told["total"] - told["ok"] - told["failed"] - told["cancelled"]
    codes = {"-2": told["failed"]} if told["failed"] else {}
    done = state not in {"queued", "running", "cancelling"}
    return {"state": state, "done": done, "pending": pending, "codes": codes, **told}


def told(how: str = "read", tag: str = "", **counts: Any) -> Told:
    return told_of(job(**counts), how, tag)


def rules(one: Sent, *seen: Told) -> list[str]:
    """The rules that a client was told to be broken."""
    one.told = list(seen)
    return [violation.rule for violation in broken_tellings([one], [])]


def test_an_honest_telling_is_not_accused() -> None:
    honest = (
        told(state="queued"),
        told(ok=3, tag='"a"'),
        told(ok=3, tag='W/"a"'),
        told(ok=4, failed=1, tag='"b"'),
        told(CANCELLED, state="cancelling", ok=4, failed=1, cancelled=3),
        told(state="cancelled", ok=6, failed=1, cancelled=3),
    )

    assert rules(sent(cancel_asked=True), *honest) == []


def test_counts_that_do_not_add_up_are_accused() -> None:
    one = told(ok=3)

    assert rules(sent(), replace(one, pending=6)) == ["a job's counts add up"]
    assert rules(sent(), replace(one, rejected=1)) == ["a job's counts add up"]
    assert rules(sent(11), one) == ["a job's counts add up"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ok": 3}, {"ok": 2, "failed": 4}),
        ({"failed": 1}, {"ok": 9}),
        ({"state": "cancelling", "cancelled": 2}, {"state": "cancelling", "cancelled": 1}),
        ({"state": "cancelling"}, {"state": "running"}),
        ({"state": "running"}, {"state": "queued"}),
        ({"state": "succeeded", "ok": 10}, {"state": "running", "ok": 10}),
    ],
)
def test_a_job_that_runs_backwards_is_accused(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert rules(sent(cancel_asked=True), told(**before), told(**after)) == ["a job never runs backwards"]


def test_a_stream_that_shows_an_older_state_is_accused() -> None:
    followed = Followed(sent(), "stream", [told("event", "b", ok=5), told("event", "a", ok=3)])

    assert [one.rule for one in broken_tellings([], [followed])] == ["a job never runs backwards"]


def test_a_tag_that_stands_for_two_answers_is_accused() -> None:
    running, cancelling = told(tag='"a"', ok=3), told(tag='"a"', state="cancelling", ok=3)

    assert rules(sent(), running, cancelling) == ["a tag stands for one answer"]


def test_a_cancellation_that_is_not_told_is_accused() -> None:
    assert rules(sent(cancel_asked=True), told(CANCELLED, ok=3)) == ["who cancels is told so"]


def test_what_is_cancelled_and_nobody_cancels_is_accused() -> None:
    assert rules(sent(), told(cancelled=3)) == ["nothing is cancelled that nobody cancels"]
    assert list(wrongly_cancelled(sent(), {"k1": MADE, "k2": STOPPED}))
    assert not list(wrongly_cancelled(sent(cancel_asked=True), {"k1": MADE, "k2": STOPPED}))
    assert not list(wrongly_cancelled(sent(), {"k1": MADE, "k2": SHORT}))


def test_what_is_decided_before_its_time_is_accused() -> None:
    later = sent(options=Options(not_before=100.0))

    assert rules(later, replace(told(ok=1), at=99.0)) == ["nothing is decided before its time"]
    assert rules(later, replace(told(state="queued"), at=99.0), replace(told(ok=1), at=101.0)) == []


def test_a_job_that_goes_on_although_too_much_is_rejected_is_accused() -> None:
    careful = sent(options=Options(max_failed=2))

    assert rules(careful, told(failed=2)) == []
    assert rules(careful, told(failed=3)) == ["a job of which too much is rejected cancels itself"]
    assert rules(careful, told(failed=3, state="cancelling")) == []
    assert rules(careful, told(failed=9, ok=1, state="failed")) == []


def test_a_job_that_cancels_itself_too_soon_is_accused() -> None:
    careful = sent(options=Options(max_failed=1))

    assert list(wrongly_cancelled(careful, {"k0": SHORT, "k1": STOPPED}))
    assert not list(wrongly_cancelled(careful, {"k0": SHORT, "k1": SHORT, "k2": STOPPED}))


def test_a_key_that_is_told_orders_which_it_does_not_have_is_accused() -> None:
    exists: dict[str, Any] = {"status": "no", "code": -5, "orders": [7]}
    unique = sent(options=Options(unique_keys=True))

    def accused(one: Sent, **numbers: set[int]) -> bool:
        return bool(list(strangers_named(one, {"k0": exists}, numbers)))

    assert not accused(unique, k0={7, 8})
    assert accused(unique, k0={8})
    assert accused(unique, k1={7})
    assert accused(sent(), k0={7})


def test_a_job_that_does_not_tell_its_options_is_accused() -> None:
    options = Options(ordered=True, not_before=0.5, labels={"a": "b"}, reference="r&1")
    job = {
        "ordered": True,
        "uniqueKeys": False,
        "dryRun": False,
        "atomic": False,
        "maxFailed": None,
        "notBefore": "1970-01-01T00:00:00.500000Z",
        "reference": "r&1",
        "labels": {"a": "b"},
    }

    assert options.are_told_by(job)
    assert not options.are_told_by({**job, "ordered": False})
    assert not options.are_told_by({**job, "notBefore": None})
    assert not options.are_told_by({**job, "labels": {}})
    assert options.query == (
        "?ordered=true&notBefore=1970-01-01T00%3A00%3A00.500000%2B00%3A00&reference=r%261&label=a%3Ab"
    )


def test_an_atomic_batch_that_is_made_in_part_is_accused() -> None:
    whole = sent(options=Options(atomic=True))
    with_it: dict[str, Any] = {"status": "no", "code": -7, "errors": [{"reason": "batch_rejected"}]}

    for honest in ({"a": MADE, "b": MADE}, {"a": SHORT, "b": with_it}, {"a": STOPPED, "b": STOPPED}):
        assert not list(half_made(whole, honest))
    assert list(half_made(whole, {"a": MADE, "b": SHORT}))
    assert list(half_made(whole, {"a": with_it, "b": with_it}))
    assert list(half_made(sent(), {"a": SHORT, "b": with_it}))
    assert not list(half_made(sent(), {"a": MADE, "b": SHORT}))


def test_a_dry_run_that_names_orders_is_accused() -> None:
    dry = sent(options=Options(validate_only=True))

    assert not list(numbers_of_dry_run(dry, {"a": {"status": "ok", "ignored": ["/x"]}, "b": SHORT}))
    assert list(numbers_of_dry_run(dry, {"a": MADE}))
    assert list(numbers_of_dry_run(dry, {"a": {"status": "ok", "order": 7}}))
    assert not list(numbers_of_dry_run(sent(), {"a": MADE}))


def test_a_done_job_that_counts_other_outcomes_is_accused() -> None:
    one = sent(3, cancel_asked=True)
    outcomes = {"k0": MADE, "k1": STOPPED, "k2": SHORT}

    one.told = [told(total=3), told(state="cancelled", total=3, ok=1, failed=1, cancelled=1)]
    assert not list(miscounted(one, outcomes))
    assert len(list(miscounted(one, outcomes | {"k2": STOPPED}))) == 1


def test_what_was_told_to_be_cancelled_and_is_decided_is_accused() -> None:
    seen = {"k1": json.dumps(STOPPED).encode(), "k2": json.dumps(MADE).encode()}

    def now(**others: Any) -> list[str]:
        outcomes = seen | {key: json.dumps(one).encode() for key, one in others.items()}
        return [one.rule for one in outcomes_changed("c0-1", seen, outcomes)]

    assert now() == []
    assert now(k1=MADE) == ["what was told to be cancelled stays so"]
    assert now(k2={"status": "ok", "orders": [8]}) == ["an answer stays true"]
    assert len(list(outcomes_changed("c0-1", seen, {}))) == 2


def test_a_key_that_two_jobs_have_made_is_accused() -> None:
    assert not list(made_twice({"k1": {"a"}, "k2": {"b"}}))
    assert [one.what for one in made_twice({"k1": {"a", "b"}})] == ["k1 by ['a', 'b']"]


def test_whoever_gets_what_an_earlier_one_was_refused_is_accused() -> None:
    def wants(units: int, sku: str = TURNS[0]) -> Wanted:
        return Wanted({"products": [{"sku": sku, "qty": units}]}, frozenset({OK, -2}))

    wanted = {"a": wants(1), "b": wants(2), "c": wants(1), "d": wants(1), "e": wants(9, TURNS[1])}
    fair = {"a": MADE, "b": SHORT, "c": MADE, "d": SHORT, "e": MADE}

    # Two units are not to be had where one is.
    assert list(out_of_turn(wanted, fair)) == []
    assert list(out_of_turn(wanted, fair | {"a": SHORT})) == ["c"]
    assert list(out_of_turn(wanted, fair | {"c": SHORT, "d": MADE})) == ["d"]


def test_a_batch_in_turn_wants_more_than_there_is() -> None:
    wanted = batch_in_turn(random.Random(1), "c0-1")  # noqa: S311 - the same every time

    assert len({line["sku"] for one in wanted.values() for line in one.order["products"]} - set(TURNS)) == 0


def test_what_a_retry_has_made_is_not_held_against_the_job_that_rejected_it() -> None:
    one = sent(2, path="/v1/orders")
    one.chain = {"k1": [sent()]}
    outcomes = {"k0": MADE, "k1": SHORT}

    honest = harm_of(one, outcomes, {"k0": frozenset({"own"}), "k1": frozenset({"retry"})}, "own", set())
    forged = harm_of(one, outcomes, {"k0": frozenset({"own"}), "k1": frozenset({"own"})}, "own", set())

    assert (honest, forged.denied) == (Harm(accepted=2, failed=1), 1)


@pytest.mark.parametrize("seed", range(20))
def test_a_retry_is_of_rejected_orders_and_says_which(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same every time
    outcomes = {"k0": MADE, "k1": SHORT, "k2": {**SHORT, "retryable": False}, "k3": STOPPED}
    before = sent(4, final=json.dumps(outcomes).encode())

    retry = retry_of(chance, before, "c0-1!r1", "key")

    assert retry is not None
    assert set(retry.sent.wanted) <= {"k1", "k2", "k3"}
    assert not retry.may_be_refused
    asked = json.loads(retry.sent.body)
    if named := asked.get("keys", list(asked.get("orders", {}))):
        assert list(retry.sent.wanted) == named
    if not asked:
        assert list(retry.sent.wanted) == ["k1", "k3"]


def test_a_retry_of_what_another_one_has_may_be_refused() -> None:
    before = sent(2, final=json.dumps({"k0": MADE, "k1": SHORT}).encode())
    running, made = sent(2), sent(2, final=json.dumps({"k1": MADE}).encode())

    def tried(*retries: Sent) -> tuple[bool, frozenset[str]]:
        before.chain = {"k1": list(retries)}
        found = retry_of(random.Random(1), before, "r", "key")  # noqa: S311 - the same every time
        assert found is not None
        return found.may_be_refused, found.made

    assert tried() == (False, frozenset())
    assert tried(running) == (True, frozenset())
    assert tried(made) == (True, frozenset({"k1"}))
    assert tried(made, before) == (False, frozenset())


def test_events_are_read_off_the_lines_of_a_stream() -> None:
    lines = ["retry: 1000", "", ":", "", "event: progress", "id: a", 'data: {"n":1}', "", "event: done", ""]

    assert list(events_of(lines)) == [Event("progress", "a", '{"n":1}')]
