"""jobs list, and job ID cancel and delete, against a small HTTP server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from cli.commands.job import job
from cli.commands.jobs import jobs
from tests.support.small_server import JOB_ID, KEY, Canned, SmallServer, api_error

if TYPE_CHECKING:
    from pathlib import Path

    import click

JOB: dict[str, Any] = {
    "id": JOB_ID,
    "state": "cancelled",
    "done": True,
    "total": 10,
    "pending": 0,
    "ok": 6,
    "failed": 1,
    "cancelled": 3,
    "percent": 100.0,
    "codes": {"-2": 1},
    "createdAt": "2027-01-05T10:00:00Z",
}


NEW_ID = JOB_ID[:-1] + "b"


def run(server: SmallServer, command: click.Command, *words: str) -> Result:
    return CliRunner().invoke(command, [*words, "--url", server.url, "--api-key", KEY])


def gives(server: SmallServer, status: int, body: Any = None, location: str = "") -> None:
    headers = {"Location": location} if location else {}
    server.canned.append(Canned(status, b"" if body is None else json.dumps(body).encode(), headers))


def test_jobs_are_listed_a_line_each_in_a_pipe(server: SmallServer) -> None:
    gives(server, 200, {"jobs": [JOB, JOB], "next": "/v1/jobs?after=x"})

    result = run(server, jobs, "list", "--state", "cancelled", "--failed", "--limit", "2")

    assert result.stdout == f"{JOB_ID}\tcancelled\t10\t6\t1\t2027-01-05T10:00:00Z\n" * 2
    assert result.stderr == f"There are more: --after {JOB_ID}\n"
    assert server.seen[0].path == "/v1/jobs?limit=2&state=cancelled&failed=true"
    assert result.exit_code == 0


def test_a_list_has_a_cell_for_references_where_there_are_any(server: SmallServer) -> None:
    gives(server, 200, {"jobs": [{**JOB, "reference": "run-42"}, JOB], "next": None})

    result = run(server, jobs, "list", "--label", "shop:se", "--label", "day:1", "--reference", "run 42")

    told = [line.split("\t")[5:] for line in result.stdout.splitlines()]
    assert told == [["2027-01-05T10:00:00Z", "run-42"], ["2027-01-05T10:00:00Z", ""]]
    assert server.seen[0].path == "/v1/jobs?limit=20&label=shop%3Ase&label=day%3A1&reference=run+42"


def test_jobs_are_listed_as_the_server_tells_them(server: SmallServer) -> None:
    gives(server, 200, {"jobs": [], "next": None})

    result = run(server, jobs, "list", "--json")

    assert json.loads(result.stdout) == {"jobs": [], "next": None}
    assert (result.stderr, result.exit_code) == ("", 0)


def test_a_job_is_cancelled_and_shown(server: SmallServer) -> None:
    gives(server, 200, JOB)

    result = run(server, job, JOB_ID, "cancel")

    assert (server.seen[0].method, server.seen[0].path) == ("POST", f"/v1/jobs/{JOB_ID}/cancel")
    assert "cancelled" in result.stdout
    assert result.exit_code == 1


def test_a_job_is_deleted(server: SmallServer) -> None:
    gives(server, 204)

    result = run(server, job, JOB_ID, "delete")

    assert (server.seen[0].method, server.seen[0].path) == ("DELETE", f"/v1/jobs/{JOB_ID}")
    assert (result.stdout, result.stderr) == ("", f"{JOB_ID} is deleted; its orders stay.\n")
    assert result.exit_code == 0


def test_a_job_that_is_not_done_is_not_asked_to_be_deleted_again(server: SmallServer) -> None:
    server.canned.append(api_error(409, "The job is not done.", Retry_After="1"))

    result = run(server, job, JOB_ID, "delete")

    assert len(server.seen) == 1
    assert "The job is not done." in result.stderr
    assert result.exit_code == 2


def test_a_job_is_retried_and_the_new_one_is_shown(server: SmallServer, tmp_path: Path) -> None:
    file = tmp_path / "corrected.json"
    file.write_bytes(b'{"a" : {"products": []}}')
    gives(server, 202, {**JOB, "id": NEW_ID}, f"/v1/jobs/{NEW_ID}")

    result = run(server, job, JOB_ID, "retry", "--orders", str(file))

    asked = server.seen[0]
    assert (asked.method, asked.path) == ("POST", f"/v1/jobs/{JOB_ID}/retry")
    assert json.loads(asked.body) == {"orders": {"a": {"products": []}}}
    assert (asked.headers["Prefer"], len(asked.headers["Idempotency-Key"])) == ("respond-async", 36)
    assert NEW_ID in result.stdout
    assert result.exit_code == 1


def test_a_retry_whose_answer_was_lost_is_shown_though_it_is_done_meanwhile(server: SmallServer) -> None:
    server.canned.append(Canned())
    gives(server, 200, {"a": {"status": "ok", "orders": [1]}}, f"/v1/jobs/{NEW_ID}")
    gives(server, 200, {**JOB, "id": NEW_ID})

    result = run(server, job, JOB_ID, "retry")

    first, again, shown = server.seen
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]
    assert (shown.method, shown.path) == ("GET", f"/v1/jobs/{NEW_ID}")
    assert NEW_ID in result.stdout
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("words", "body"),
    [
        ((), {}),
        (("--code", "-2", "--code", "-7"), {"codes": [-2, -7]}),
        (("--reason", "stock_short"), {"reasons": ["stock_short"]}),
        (("--key", "a"), {"keys": ["a"]}),
        (("--all",), {"all": True}),
    ],
)
def test_what_is_retried_is_chosen(server: SmallServer, words: tuple[str, ...], body: Any) -> None:
    gives(server, 202, JOB, f"/v1/jobs/{JOB_ID}")

    run(server, job, JOB_ID, "retry", *words)

    assert json.loads(server.seen[0].body) == body


def test_a_retry_is_chosen_in_one_way_and_only_of_a_retry(server: SmallServer) -> None:
    two = run(server, job, JOB_ID, "retry", "--all", "--code", "-2")
    other = run(server, job, JOB_ID, "cancel", "--all")

    assert (two.exit_code, other.exit_code, server.seen) == (2, 2, [])
    assert "--code and --all choose in two ways" in two.stderr
    assert "--all chooses what to retry" in other.stderr
