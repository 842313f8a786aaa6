"""orders ship and orders cancel: files of shipments and cancellations, handed in as submit does orders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cli.commands.orders import cancel, ship
from tests.support.client_program import batch_file, run
from tests.support.small_server import JOB_ID

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from tests.support.small_server import SmallServer

STEPS = {"a": {"order": 1234}, "b": {"order": 1235, "code": -7}}


@pytest.mark.parametrize(("command", "path"), [(ship, "/v1/shipments"), (cancel, "/v1/cancellations")])
def test_a_file_goes_to_its_path_and_its_outcomes_are_written(
    server: SmallServer, tmp_path: Path, command: click.Command, path: str
) -> None:
    result = run(server, command, batch_file(tmp_path, STEPS), "--json")

    assert result.exit_code == 1
    assert [one["status"] for one in json.loads(result.stdout).values()] == ["ok", "no"]
    assert [seen.path for seen in server.seen if seen.method == "POST"] == [path]


def test_the_same_file_again_finds_its_job_and_for_another_step_it_is_another_batch(
    server: SmallServer, tmp_path: Path
) -> None:
    file = batch_file(tmp_path, STEPS)

    results = [run(server, command, file, "--no-wait") for command in (ship, ship, cancel)]

    assert [result.stdout for result in results] == [f"{JOB_ID}\n"] * 3
    first, again, other = [seen.headers["Idempotency-Key"] for seen in server.seen if seen.method == "POST"]
    assert first == again != other
