"""Jobs asked for in every wrong way: whatever is sent, the answer says what is wrong and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import text

from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

GOOD = order(line("BRASS-LAMP"))
BATCH = {"good": GOOD, "short": order(line("RED-STOOL", 40)), "wrong": order(market="Mars")}
EVENTS, LINES, TABLE = "text/event-stream", "application/x-ndjson", "text/csv"
EXPIRE = """
    UPDATE jobs SET created_at = created_at - by, expires_at = expires_at - by,
        started_at = started_at - by, finished_at = finished_at - by
    FROM (SELECT interval '40 days' AS by) AS past WHERE id = :id
"""
# As it stays while a worker has something of it in hand.
CANCEL = "UPDATE jobs SET cancel_requested_at = now() WHERE id = :id"
UNKNOWN = "/v1/jobs/01a209af-3b0c-7ce6-836e-bae03ff047b9"


@dataclass(frozen=True)
class Jobs:
    """A job in each state that a client may find its own in, and one of somebody else, by their paths."""

    shop: Shop
    paths: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Ask for ``{done}/results`` and the like; a body that is not bytes is sent as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.shop.api.client.open(
            path.format(**self.paths),
            method=method,
            data=body if isinstance(body, bytes | None) else orjson.dumps(body),
            headers={
                "API-Authorization": self.shop.api.key,
                "Content-Type": "application/json",
                "Prefer": "respond-async",
                **named,
            },
        )

    def rows(self) -> list[Any]:
        """What no refused request may change."""
        return self.shop.api.rows(
            "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM orders),"
            " (SELECT array_agg(closed_at ORDER BY id) FROM slices),"
            " (SELECT array_agg(cancel_requested_at ORDER BY id) FROM jobs)"
        )


@pytest.fixture(scope="module")
def jobs(module_shop: Shop) -> Jobs:
    shop = module_shop
    stranger = shop.api.new_key("Stranger", "orders:write", "orders:read")

    def accept(key: str = "") -> str:
        headers = {"API-Authorization": key} if key else {}
        return str(shop.api.post(BATCH, Prefer="respond-async", **headers).headers["Location"])

    paths = {name: accept() for name in ("done", "cancelled", "deleted", "expired", "queued", "cancelling")}
    paths["foreign"] = accept(stranger)
    for name in ("done", "deleted", "expired"):
        shop.settled(paths[name])
    shop.settled(paths["foreign"], stranger)
    made = Jobs(shop, paths)
    assert made.ask("POST", "{cancelled}/cancel").status_code == 200
    assert made.ask("DELETE", "{deleted}").status_code == 204
    with shop.api.engine.begin() as connection:
        for statement, name in ((EXPIRE, "expired"), (CANCEL, "cancelling")):
            connection.execute(text(statement), {"id": paths[name].rpartition("/")[2]})
    return made


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        # A place in a list that is none.
        ("GET", "/v1/jobs?after=x", None, 400, "after: 'x' is no job's id"),
        ("GET", "/v1/jobs?after=", None, 400, "after"),
        ("GET", "/v1/jobs?after=12", None, 400, "take it from next"),
        ("GET", "{done}/results?after=good", None, 400, "after: 'good' is not a whole number"),
        # What contradicts itself.
        ("GET", "{done}/results?status=ok&code=-2", None, 400, "code: -2 contradicts status=ok"),
        ("GET", "{done}/results?code=-1&reason=stock_short", None, 400, "is a reason of code -2, not of -1"),
        ("GET", "/v1/jobs?state=failed&state=queued", None, 400, "state: stands more than once"),
        ("POST", "{done}/retry", {"all": True, "keys": ["short"]}, 400, "all and keys contradict each other"),
        ("POST", "{done}/retry", {"orders": {"short": GOOD}, "codes": [-2]}, 400, "contradict each other"),
        # A parameter where none is, for the retry has the options of its job.
        ("POST", "{done}/retry?uniqueKeys=true", {}, 400, "uniqueKeys"),
        ("POST", "{queued}/cancel?all=true", None, 400, "all"),
        ("DELETE", "{done}?force=true", None, 400, "force"),
        ("POST", "/v1/orders?uniqueKeys=perhaps", BATCH, 400, "uniqueKeys: 'perhaps' is not a boolean"),
        ("POST", "/v1/orders?uniqueKeys=true&uniqueKeys=false", BATCH, 400, "uniqueKeys: stands more than"),
        ("POST", "/v1/orders?uniquekeys=true", BATCH, 400, "uniqueKeys"),
        ("POST", "/v1/order?uniqueKeys=true", GOOD, 400, "uniqueKeys"),
        # The key of a completion is no order's.
        ("POST", "/v1/completions?uniqueKeys=true", {"a": {"order": 1}}, 400, "uniqueKeys"),
        # What cannot be tried again.
        ("POST", "{done}/retry", {"keys": ["good"]}, 409, "the key 'good'"),
        ("POST", "{done}/retry", {"orders": {"good": GOOD}}, 409, "the key 'good'"),
        ("POST", "{queued}/retry", {}, 409, "not done"),
        ("POST", "{cancelling}/retry", {}, 409, "not done"),
        ("DELETE", "{queued}", None, 409, "not done"),
        ("DELETE", "{cancelling}", None, 409, "not done"),
        ("POST", "{expired}/retry", {}, 410, "The job has expired"),
        ("POST", "{deleted}/retry", {}, 410, "The job was deleted"),
        ("POST", "{foreign}/retry", {}, 404, "There is no job of this id for this client"),
        # Corrected orders of another job, or of none.
        ("POST", "{done}/retry", {"orders": {"stray": GOOD}}, 400, "no order under the key 'stray'"),
        ("POST", "{done}/retry", {"orders": {"short": GOOD, "st\0ray": GOOD}}, 400, "ray'"),
        ("POST", "{done}/retry", {"keys": ["stray"]}, 400, "no order under the key 'stray'"),
        ("POST", "{done}/retry", {"orders": {}}, 409, "nothing to retry"),
        ("POST", "{done}/retry", {"orders": []}, 400, "object"),
        ("POST", "{done}/retry", {"orders": {"short": 5}, "x": 1}, 400, "'x' is no member of a retry"),
        # Whatever is asked of a job that is gone.
        *(
            (method, f"{{{gone}}}{rest}", None, 410, "The job ")
            for gone in ("expired", "deleted")
            for method, rest in (("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("DELETE", ""))
        ),
    ],
)
def test_what_cannot_be_done_is_told_by_name_and_changes_nothing(
    jobs: Jobs, method: str, path: str, body: Any, status: int, said: str
) -> None:
    before = jobs.rows()

    response = jobs.ask(method, path, body)

    assert response.status_code == status, response.data
    answer = told(response)
    assert said in answer["msg"]
    assert (answer["status"], answer["code"]) == ("no", -7)
    assert jobs.rows() == before


@pytest.mark.parametrize(
    ("method", "rest", "headers"),
    [
        ("GET", "", {}),
        ("GET", "", {"Accept": EVENTS}),
        ("GET", "", {"Accept": EVENTS, "Last-Event-ID": "x"}),
        ("GET", "", {"Prefer": "wait=5"}),
        ("GET", "", {"If-None-Match": "*"}),
        ("HEAD", "", {}),
        ("GET", "/results", {}),
        ("GET", "/results", {"Accept": LINES}),
        ("GET", "/results", {"Accept": TABLE}),
        ("GET", "/results?include=order&limit=1", {"Accept-Encoding": "gzip"}),
        ("GET", "/results?after=1", {}),
        ("POST", "/cancel", {}),
        ("POST", "/retry", {}),
        ("POST", "/retry", {"Idempotency-Key": "k", "Prefer": "wait=5"}),
        ("DELETE", "", {}),
    ],
    ids=str,
)
def test_a_job_of_somebody_else_is_404_whatever_is_asked_of_it(
    jobs: Jobs, method: str, rest: str, headers: dict[str, str]
) -> None:
    before = jobs.rows()
    body: dict[str, Any] | None = {} if rest == "/retry" else None

    foreign, unknown = (jobs.ask(method, path + rest, body, **headers) for path in ("{foreign}", UNKNOWN))

    assert foreign.status_code == unknown.status_code == 404
    # It is nobody's business that there is one.
    assert foreign.data == unknown.data
    assert jobs.rows() == before


def test_a_cursor_of_another_client_shows_nothing_of_that_clients(jobs: Jobs) -> None:
    foreign = jobs.paths["foreign"].rpartition("/")[2]
    own = {path.rpartition("/")[2] for name, path in jobs.paths.items() if name != "foreign"}

    listed = told(jobs.ask("GET", f"/v1/jobs?after={foreign}"))

    assert {job["id"] for job in listed["jobs"]} <= own


def test_an_event_id_of_another_job_skips_nothing(jobs: Jobs) -> None:
    other = jobs.ask("GET", "{cancelled}").headers["ETag"].strip('"')

    stream = jobs.ask("GET", "{done}", Accept=EVENTS, Last_Event_ID=other)

    assert stream.status_code == 200
    assert stream.data.count(b"event: done") == 1


def test_what_was_cancelled_can_be_tried_again_and_what_was_made_of_it_not(jobs: Jobs) -> None:
    again = jobs.ask("POST", "{cancelled}/retry", {"keys": ["wrong"]})

    assert again.status_code == 202
    assert told(again)["retryOf"] == jobs.paths["cancelled"].rpartition("/")[2]
