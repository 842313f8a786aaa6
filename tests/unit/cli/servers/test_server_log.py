"""What is told of a server that did not start."""

from __future__ import annotations

import signal
import stat
import sys
from typing import TYPE_CHECKING

from cli.servers.child import last_line, start_server

if TYPE_CHECKING:
    from pathlib import Path


def run(log: Path, *lines: str) -> None:
    started = start_server(
        [sys.executable, "-c", f"print({chr(10).join(lines)!r})"],
        directory=log.parent,
        log=log,
        death_signal=signal.SIGTERM,
        environment=None,
    )
    assert started.wait(30) == 0


def test_the_reason_is_told_and_not_what_was_said_after_it(tmp_path: Path) -> None:
    run(tmp_path / "log", "LOG: starting", "FATAL: lock file exists", "LOG: database system is shut down")

    assert last_line(tmp_path / "log") == ": FATAL: lock file exists"


def test_the_reason_of_an_earlier_start_is_not_told_again(tmp_path: Path) -> None:
    run(tmp_path / "log", "FATAL: lock file exists")
    run(tmp_path / "log", "LOG: starting", "LOG: stopped")

    assert last_line(tmp_path / "log") == ": LOG: stopped"


def test_a_servers_log_is_its_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("of a version that left it open to all\n")
    (tmp_path / "log").chmod(0o644)

    run(tmp_path / "log", "DETAIL: Key (email)=(eva@example.com) already exists.")

    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
