"""``ordermill serve`` as a child: started, waited for, and stopped whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from cli.errors import NotDoneError
from cli.servers.data_dir import open_data_dir
from cli.system.parent_death_signal import parent_death_signal
from shared.private_files import open_private
from shared.settings import environment_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.system.stop_signals import StopRequest

LOG_NAME = "demo.log"
_IS_AT = "ordermill is at "
_LAST_LINES = 20
# Above the graces that serve gives to its own children, one after the other.
_STOP_SECONDS = 120


@contextmanager
def served(data_dir: Path, workers: int, stop: StopRequest) -> Iterator[str]:
    """Everything on a free port, for as long as the block lasts; gives the URL.

    What it logs goes to a file in ``data_dir``. Once it is being stopped, ``stop`` interrupts nothing more.
    Raises NotDoneError when it does not start, ServersError for a directory that does not do.
    """
    log = open_data_dir(data_dir).path / LOG_NAME
    with open(log, "wb", opener=open_private) as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-P", "-m", "cli", "serve", "--port", "0"),
                *("--workers", str(workers), "--data-dir", str(data_dir)),
            ],
            # People read the file, if anybody does; and nobody outside gets a mail of an invented order.
            env=environment_with(LOG_FORMAT="human", SMTP_URL=""),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            # Ctrl-C is for us; it is stopped in order then.
            start_new_session=True,
            preexec_fn=parent_death_signal(signal.SIGTERM),  # noqa: PLW1509 - it calls prctl and nothing else
        )
    try:
        yield _url(process)
    finally:
        stop.only_note()
        _stop(process)


def last_lines(log: Path) -> str:
    """The end of a log, for a person who wants to know what went wrong."""
    with suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
    return ""


def _url(process: subprocess.Popen[bytes]) -> str:
    output: BinaryIO = process.stdout  # type: ignore[assignment]  # it was started with a pipe
    for line in output:
        said = line.decode(errors="replace").strip()
        if said.startswith(_IS_AT):
            return said.removeprefix(_IS_AT)
    raise NotDoneError("ordermill did not start.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Its children die with it, by the kernel.
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
