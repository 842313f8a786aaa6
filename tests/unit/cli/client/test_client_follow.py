"""A job is followed by what the server tells of it, and asked for when it tells nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from cli.commands.results import results
from cli.commands.submit import submit
from tests.support.orders import order
from tests.support.small_server import JOB_ID, KEY, Canned, SmallServer, api_error

if TYPE_CHECKING:
    from pathlib import Path

    import click

MANY: dict[str, Any] = {f"k{n}": order() for n in range(9)}


def run(server: SmallServer, command: click.Command, *args: str) -> Result:
    environ = {"ORDERMILL_URL": server.url, "ORDERMILL_API_KEY": KEY}
    return CliRunner().invoke(command, args, env=environ)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(MANY), encoding="utf-8")
    return str(path)


def looks(server: SmallServer) -> list[str]:
    """What was accepted as the job at each look at it."""
    return [seen.headers["Accept"] for seen in server.seen if seen.path == f"/v1/jobs/{JOB_ID}"]


def test_a_job_is_followed_by_its_events_alone(server: SmallServer, file: str) -> None:
    server.streams = True

    result = run(server, submit, file)

    assert (list(json.loads(result.stdout)), result.exit_code) == (list(MANY), 0)
    assert looks(server) == ["text/event-stream"]


@pytest.mark.parametrize("broken", [Canned(), api_error(503, "Too many follow jobs at once.")])
def test_where_there_are_no_events_the_job_is_asked_for(
    server: SmallServer, file: str, broken: Canned
) -> None:
    handed_in = run(server, submit, file, "--no-wait")
    server.canned = [Canned(202, server.job_json(), {"Location": f"/v1/jobs/{JOB_ID}"}), broken]

    result = run(server, submit, file)

    assert handed_in.exit_code == result.exit_code == 0
    assert looks(server)[0] == "text/event-stream"
    assert set(looks(server)[1:]) == {"*/*"}


def test_a_server_that_knows_no_events_is_asked(server: SmallServer, file: str) -> None:
    result = run(server, submit, file)

    assert result.exit_code == 0
    assert len(looks(server)) >= 5


def test_a_small_file_is_not_waited_for_before_its_job_is_told_and_a_large_one_not_at_all(
    server: SmallServer, file: str, tmp_path: Path
) -> None:
    large = tmp_path / "large.json"
    large.write_text(json.dumps({**MANY, "large": order(comment="x" * 1_100_000)}), encoding="utf-8")

    for path in (file, str(large)):
        run(server, submit, path)

    posts = [seen.headers["Prefer"] for seen in server.seen if seen.method == "POST"]
    assert posts == ["wait=2", "respond-async"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--format", "csv"), f"text/csv /v1/jobs/{JOB_ID}/results\n"),
        (("--format", "csv", "--failed"), f"text/csv /v1/jobs/{JOB_ID}/results?status=no\n"),
        (
            ("--format", "ndjson", "--failed", "--orders"),
            f"application/x-ndjson /v1/jobs/{JOB_ID}/results?status=no&include=order\n",
        ),
    ],
)
def test_results_come_as_what_is_asked_for(
    server: SmallServer, file: str, options: tuple[str, ...], expected: str
) -> None:
    run(server, submit, file)

    assert run(server, results, JOB_ID, *options).stdout == expected


def test_json_and_another_format_are_not_both_meant(server: SmallServer) -> None:
    result = run(server, results, JOB_ID, "--json", "--format", "csv")

    assert result.exit_code == 2
    assert "give one of them" in result.stderr
    assert server.seen == []
