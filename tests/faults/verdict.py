"""What the clients were told, held against what there is: through SQL and through HTTP."""

from __future__ import annotations

import http
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from tests.faults.checks import Violation
from tests.faults.goods import COUNTED, OK, POISON
from tests.faults.hostile import HOSTILE
from tests.faults.job_checks import (
    half_made,
    has_reason,
    made_twice,
    miscounted,
    numbers_of_dry_run,
    out_of_turn,
    outcomes_changed,
    strangers_named,
    wrongly_cancelled,
)
from tests.faults.told import told_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.faults.goods import Wanted
    from tests.faults.journal import Sent
    from tests.faults.world import World

_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_READERS = 4
_OF_THE_JOB = ("cancelled", "batch_rejected")
"""Reasons that say nothing of the order itself."""


@dataclass
class Verdict:
    """What was found."""

    violations: list[Violation] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0
    unknown_created: int = 0
    """Batches without an answer that were accepted all the same."""
    unknown_nothing: int = 0
    completed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def accuse(self, rule: str, what: str) -> None:
        """One more."""
        self.violations.append(Violation(rule, what))


def judge(sent: Sequence[Sent], world: World, url: str, key: str) -> Verdict:
    """Judge every batch; the client asks for what it was once told."""
    verdict = Verdict()
    of_request = {request: job for job, (request, _) in world.jobs.items()}
    of_key = {key: job for job, (_, key) in world.jobs.items() if key is not None}
    expected: set[str] = set()
    accepted: list[tuple[Sent, str]] = []
    for one in sent:
        jobs = {of_request[request] for request in one.request_ids if request in of_request}
        jobs |= {of_key[one.idempotency_key]} if one.idempotency_key in of_key else set()
        expected |= jobs
        _judge_accepted(one, jobs, verdict)
        accepted += [(one, job) for job in jobs]
    harmless = {
        job for job, (request, _) in world.jobs.items() if request == HOSTILE and job not in world.lines
    }
    for job in sorted(set(world.jobs) - expected - harmless)[:3]:
        verdict.accuse("nothing is made that nobody sent", f"job {job}")
    verdict.violations += made_twice(world.made)
    headers = {"API-Authorization": key, "Content-Type": "application/json"}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client,
        ThreadPoolExecutor(_READERS) as readers,
    ):
        for _ in readers.map(lambda pair: _judge_job(client, pair[0], pair[1], world, verdict), accepted):
            pass
    return verdict


def count_answers(sent: Sequence[Sent]) -> tuple[int, int]:
    """How many batches were accepted, and how many refused, with nothing held against them."""
    accepted = sum(bool(one.answers) for one in sent)
    return accepted, sum(not one.answers and not one.unknown for one in sent)


def _judge_accepted(sent: Sent, jobs: set[str], verdict: Verdict) -> None:
    """An accepted batch is one job, the one that was named; a refused one is none; else it is one or none."""
    told = {answer.job_path.rpartition("/")[2] for answer in sent.answers}
    if len(told) > 1 or len(jobs) > 1:
        verdict.accuse("a batch is one job", f"{sent.name}: told {told}, found {jobs}")
    if sent.answers:
        verdict.accepted += 1
        if not told <= jobs:
            verdict.accuse("accepted is durable", f"{sent.name}: told {told}, found {jobs}")
    elif sent.unknown:
        verdict.unknown_created += bool(jobs)
        verdict.unknown_nothing += not jobs
    else:
        verdict.refused += 1
        if jobs:
            verdict.accuse("what is refused has no effect", f"{sent.name}: found {jobs}")


def _keys_told(sent: Sent, outcomes: Mapping[str, Any]) -> str:
    """What the outcomes' keys are, beside those that were sent."""
    strange = [key for key in outcomes if key not in sent.wanted]
    return f"{sent.name}: {len(outcomes)} keys for {len(sent.wanted)}, not its own: {strange[:3]}"


def _judge_job(client: httpx.Client, sent: Sent, job: str, world: World, verdict: Verdict) -> None:
    answer = client.get(f"/v1/jobs/{job}")
    if answer.status_code == http.HTTPStatus.GONE and sent.delete_asked:
        raw = _judge_deleted(client, sent, job, verdict)
    else:
        raw = _judge_kept(client, sent, job, answer.json(), verdict)
    if raw is None:
        return
    written = _keyed(sent, raw)
    outcomes = {key: msgspec.json.decode(one) for key, one in written.items()}
    if list(outcomes) != list(sent.wanted):
        verdict.accuse("every key has exactly one outcome", _keys_told(sent, outcomes))
    for seen in sent.seen:
        verdict.violations += outcomes_changed(sent.name, _keyed(sent, seen), written)
    verdict.violations += [*wrongly_cancelled(sent, outcomes), *miscounted(sent, outcomes)]
    verdict.violations += strangers_named(sent, outcomes, world.numbers)
    verdict.violations += [*half_made(sent, outcomes), *numbers_of_dry_run(sent, outcomes)]
    if sent.options.in_order:
        for key in out_of_turn(sent.wanted, outcomes):
            verdict.accuse("whoever asks first gets what is scarce", f"{sent.name} {key}")
    # Another batch's keys are accused above.
    own = [(place, key, one) for place, (key, one) in enumerate(outcomes.items()) if key in sent.wanted]
    for position, key, outcome in own:
        _judge_outcome(f"{sent.name} {key}", sent.wanted[key], outcome, verdict)
        if not sent.is_keyed:
            _judge_completion(f"{sent.name} {key}", key, outcome, verdict)
            continue
        _judge_order(sent, key, outcome, world, (job, position), verdict)


def _judge_kept(
    client: httpx.Client, sent: Sent, job: str, state: dict[str, Any], verdict: Verdict
) -> bytes | None:
    """A job that is there: done, with outcomes that agree with all that was told of it before; gives them."""
    results = client.get(f"/v1/jobs/{job}/results")
    if results.status_code != http.HTTPStatus.OK or not state["done"]:
        verdict.accuse("every job ends", f"{sent.name}: {state}")
        return None
    if sent.deleted:
        verdict.accuse("what was deleted is gone", f"{sent.name}: {state}")
    if sent.is_keyed and not sent.options.are_told_by(state):
        verdict.accuse("a job tells how its batch was asked to be treated", f"{sent.name}: {state}")
    sent.told.append(told_of(state, "read"))
    for answer in sent.answers:
        if answer.status == http.HTTPStatus.OK and answer.body != results.content:
            verdict.accuse("an answer stays true", f"{sent.name}: another 200 now")
    if sent.idempotency_key is not None:
        _judge_replay(client, sent, job, results.content, verdict)
    return results.content


def _judge_deleted(client: httpx.Client, sent: Sent, job: str, verdict: Verdict) -> bytes | None:
    """A job that its client has deleted: gone in each way, and its outcomes are those that were told last."""
    ways = [client.get(f"/v1/jobs/{job}/results")]
    if sent.idempotency_key is not None:
        headers = {"Idempotency-Key": sent.idempotency_key}
        ways.append(client.post(sent.path, content=sent.body, headers=headers))
    if any(answer.status_code != http.HTTPStatus.GONE for answer in ways):
        verdict.accuse("what was deleted is gone", f"{sent.name}: {[one.status_code for one in ways]}")
    return sent.final


def _keyed(sent: Sent, answer: bytes) -> dict[str, bytes]:
    """An answer's outcomes by key; a completion's stands alone, and where it is not there yet stands {}."""
    if sent.is_keyed or answer == b"{}":
        return {key: bytes(raw) for key, raw in _RAW.decode(answer).items()}
    return dict.fromkeys(sent.wanted, answer)


def _judge_replay(client: httpx.Client, sent: Sent, job: str, results: bytes, verdict: Verdict) -> None:
    """The same request once more is the same job and the same answer; what is deleted has no retry."""
    headers = {"Idempotency-Key": str(sent.idempotency_key)}
    again = client.post(sent.path, content=sent.body, headers=headers)
    same = (
        again.status_code in (http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED)
        and again.headers.get("Location") == f"/v1/jobs/{job}"
        and again.headers.get("Idempotent-Replayed") == "true"
        and (again.status_code == http.HTTPStatus.ACCEPTED or again.content == results)
    )
    of_deleted = (
        sent.retry_of is not None and sent.retry_of.delete_asked and again.status_code == http.HTTPStatus.GONE
    )
    if not (same or of_deleted):
        verdict.accuse("a repeated request is replayed", f"{sent.name}: {again.status_code}")


def _judge_outcome(name: str, wanted: Wanted, outcome: dict[str, Any], verdict: Verdict) -> None:
    code = OK if outcome["status"] == "ok" else outcome["code"]
    for reason in _OF_THE_JOB:
        if has_reason(outcome, reason):
            verdict.outcomes[reason] += 1
            return
    verdict.outcomes["ok" if code == OK else str(code)] += 1
    given_up = "given up" in outcome.get("msg", "")
    if code not in wanted.may_be or (given_up and OK in wanted.may_be):
        verdict.accuse("an order is decided by what it says", f"{name}: {outcome}")
    elif tuple(outcome.get("ignored", ())) != wanted.ignored:
        verdict.accuse("what is ignored is told", f"{name}: {outcome}, not {wanted.ignored}")


def _judge_completion(name: str, key: str, outcome: dict[str, Any], verdict: Verdict) -> None:
    """It names the order that was prepared, first; the invariants see to the rest."""
    verdict.completed += 1
    if outcome["status"] == "ok" and str(outcome["orders"][0]) != key:
        verdict.accuse("a completion names the prepared order first", f"{name}: {outcome}")


def _judge_order(
    sent: Sent, key: str, outcome: dict[str, Any], world: World, place: tuple[str, int], verdict: Verdict
) -> None:
    """What was bought is what was asked for; what was not to be had is not to be had now either."""
    name, order, options = f"{sent.name} {key}", sent.wanted[key].order, sent.options
    asked: Counter[str] = Counter()
    for line in order["products"]:
        asked[line["sku"]] += line["qty"]
    is_made = outcome["status"] == "ok" and not options.validate_only
    bought = world.lines.get(place[0], {}).get(place[1], Counter())
    if bought != (asked if is_made else Counter()):
        rule = "a dry run leaves nothing" if options.validate_only else "an order is what was asked for"
        verdict.accuse(rule, f"{name}: asked {asked}, found {bought}")
    # What was counted anew was not there before; nor was what earlier ones had, of which nothing has stayed.
    gone = options.validate_only or options.atomic or not asked.keys().isdisjoint(COUNTED)
    if (
        outcome.get("code") == -2
        and not gone
        and all(world.free[sku] >= units for sku, units in asked.items())
    ):
        verdict.accuse("nothing is refused that was there", f"{name}: {outcome}")
    if is_made and "orderNumber" in order and outcome["orders"] != [order["orderNumber"]]:
        verdict.accuse("an explicit number is kept", f"{name}: {outcome}")


def poisonous(sent: Sequence[Sent]) -> int:
    """How many poisonous orders were sent."""
    marker = POISON.encode()
    return sum(marker in one.body for one in sent)
