"""The client commands on a terminal, where what clients wrote must be read and not obeyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.small_server import JOB_ID, SmallServer, api_error
from tests.support.terminal import obeyed, on_a_terminal

if TYPE_CHECKING:
    from pathlib import Path

STEERING = "\u009b31mRED\u009b2J\u202e\u200b\x1b]0;x\x07"
ORDER = {"products": [{"sku": "BRASS-LAMP", "qty": 1}]}
BATCH = {STEERING: ORDER, "Åsa": {**ORDER, "code": -2}}


@pytest.fixture
def batch(tmp_path: Path) -> str:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(BATCH), encoding="utf-8")
    return str(path)


def test_outcomes_on_a_terminal_are_json_that_steers_nothing(server: SmallServer, batch: str) -> None:
    written = on_a_terminal(server, "submit", batch)

    assert obeyed(written) == []
    assert "\x1b]" not in written
    # Behind what takes the bar away again.
    line = next(line for line in written.splitlines() if '"status"' in line)
    assert list(json.loads(line[line.index("{") :])) == list(BATCH)


@pytest.mark.parametrize(
    "options", [(), ("--failed",), ("--failed", "--json"), ("--format", "json"), ("--orders",)]
)
def test_results_on_a_terminal_steer_nothing(server: SmallServer, options: tuple[str, ...]) -> None:
    no = {"status": "no", "code": -7, "msg": STEERING, "errors": []}
    server.outcomes = {STEERING: no}

    written = on_a_terminal(server, "results", JOB_ID, *options)

    assert obeyed(written) == []
    assert "\x1b]" not in written
    assert "RED" in written


def test_api_error_on_a_terminal_steers_nothing(server: SmallServer, batch: str) -> None:
    server.canned = [api_error(400, f"the key {STEERING!s} stands twice")]

    written = on_a_terminal(server, "submit", batch)

    assert obeyed(written) == []
    assert "\\x9b31mRED" in written
    assert "\x1b]" not in written
