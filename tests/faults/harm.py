"""What became of accepted orders, counted in the same way for whatever a campaign is run against."""

from __future__ import annotations

import http
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import text

from tests.faults.goods import OK
from tests.faults.job_checks import has_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Engine

    from tests.faults.goods import Wanted
    from tests.faults.journal import Sent
    from tests.faults.subject import Subject

# Parts of one order count once; another number or another job under the same key is an order too many.
_MADE = text("""
    SELECT batch_key, count(*) AS orders, array_agg(DISTINCT CAST(job_id AS text)) AS job_ids
    FROM orders WHERE part = 0 GROUP BY batch_key
""")
_OVERSOLD = text("""
    SELECT coalesce(sum(greatest(taken - physical, 0)), 0) FROM stock LEFT JOIN (
        SELECT item_id, warehouse_id, sum(quantity) AS taken FROM allocations GROUP BY 1, 2
    ) AS sums USING (item_id, warehouse_id)
""")


@dataclass
class Harm:
    """In orders, unless it says otherwise."""

    accepted: int = 0
    """Orders of batches that were answered 200 or 202."""
    lost: int = 0
    """Accepted, or even told as created, and there is neither an order nor anybody who will make one."""
    untold: int = 0
    """Created, but nobody can tell any more what came of them."""
    doubled_by_delivery: int = 0
    """Orders too many under one key of one request: the same task ran to its end more than once."""
    doubled_by_repetition: int = 0
    """Orders too many because a request whose answer was lost was sent again under its Idempotency-Key."""
    denied: int = 0
    """Told as rejected or refused, and yet there is an order."""
    failed: int = 0
    """Rejected although nothing was wrong with them but the fault."""
    stuck: int = 0
    """Accepted, undecided, and still in somebody's hand when time was up."""
    stuck_jobs: int = 0
    """Jobs (not orders) that had not ended when time was up, or could not be found any more."""
    oversold_units: int = 0
    """Units that orders have and the stock had not."""

    def __add__(self, other: Harm) -> Harm:
        """Both together."""
        return Harm(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Harm)})

    @property
    def doubled(self) -> int:
        """All orders too many."""
        return self.doubled_by_delivery + self.doubled_by_repetition


def harm_done(sent: Sequence[Sent], subject: Subject, undecided: AbstractSet[str]) -> Harm:
    """Count it, now that nothing goes on any more; ``undecided``: the keys that somebody has in hand."""
    harm = Harm(oversold_units=_oversold(subject.engine))
    made = _made(subject.engine)
    harm.doubled_by_repetition = sum(len(jobs) - 1 for _, jobs in made.values())
    harm.doubled_by_delivery = sum(orders - len(jobs) for orders, jobs in made.values())
    headers = {"API-Authorization": subject.key}
    with httpx.Client(base_url=subject.stack.url, headers=headers, timeout=60, trust_env=False) as client:
        for batch in (one for one in sent if one.is_batch):
            jobs = {key: made[key][1] for key in batch.wanted if key in made}
            if batch.answers:
                job = batch.job_path.rpartition("/")[2]
                harm += harm_of(batch, _outcomes(client, batch), jobs, job, undecided)
            elif not batch.unknown:
                harm.denied += len(jobs)
    return harm


def harm_of(
    batch: Sent,
    outcomes: Mapping[str, Mapping[str, Any]],
    made: Mapping[str, AbstractSet[str]],
    job: str,
    undecided: AbstractSet[str],
) -> Harm:
    """What became of an accepted batch, whose job is this one; ``made``: the jobs that made each key's order.

    What a retry of its orders has made is the retry's, and what another batch with the same key that batch's.
    """
    harm = Harm(accepted=len(batch.wanted), stuck_jobs=outcomes.keys() != batch.wanted.keys())
    for key, wanted in batch.wanted.items():
        own_only = batch.chain or batch.options.unique_keys
        is_made = job in made.get(key, ()) if own_only else key in made
        is_dry = batch.options.validate_only
        _count(harm, wanted, outcomes.get(key), is_made, is_in_hand=key in undecided, is_dry=is_dry)
    return harm


def _count(
    harm: Harm,
    wanted: Wanted,
    outcome: Mapping[str, Any] | None,
    is_made: bool,
    *,
    is_in_hand: bool,
    is_dry: bool,
) -> None:
    if outcome is None:
        harm.untold += is_made
        harm.stuck += not is_made and is_in_hand
        harm.lost += not is_made and not is_in_hand
    elif outcome["status"] == "ok":
        harm.lost += not is_made and not is_dry
        harm.denied += is_made and is_dry
    else:
        harm.denied += is_made
        harm.failed += not is_made and _is_fault(wanted, outcome)


def _is_fault(wanted: Wanted, outcome: Mapping[str, Any]) -> bool:
    if has_reason(outcome, "cancelled") or has_reason(outcome, "batch_rejected"):
        return False
    return outcome["code"] not in wanted.may_be or (OK in wanted.may_be and "given up" in outcome["msg"])


def _outcomes(client: httpx.Client, batch: Sent) -> dict[str, Any]:
    """What a client can be told of it now, or was told when it was answered, or before it was deleted."""
    if batch.delete_asked and batch.final is not None:
        last: dict[str, Any] = json.loads(batch.final)
        return last
    for answer in batch.answers:
        if answer.status == http.HTTPStatus.OK:
            told: dict[str, Any] = json.loads(answer.body)
            return told
    results = client.get(f"{batch.job_path}/results")
    known: dict[str, Any] = results.json() if results.status_code == http.HTTPStatus.OK else {}
    return known


def _made(engine: Engine) -> dict[str, tuple[int, frozenset[str]]]:
    """Key → how many orders there are under it, and of which jobs."""
    with engine.connect() as connection:
        rows: Iterable[Any] = connection.execute(_MADE)
        return {json.loads(row.batch_key): (row.orders, frozenset(row.job_ids)) for row in rows}


def _oversold(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(_OVERSOLD).scalar_one())
