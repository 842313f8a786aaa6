"""A server as a child process: started in a session of its own, stopped, and found again if orphaned."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import psutil

from cli.servers.accounts import SystemUser
from cli.system.parent_death_signal import parent_death_signal
from shared.private_files import ForeignFileError, open_private, read_plain

LOG_MAX_BYTES = 10 * 1024 * 1024
_LAST_BYTES = 16 * 1024
# Ours, between what one start of a server said and what the one before it did.
_STARTED = b"-- started by ordermill --\n"
# How to ask: a signal and for how many seconds it may take.
StopSteps = Sequence[tuple[signal.Signals, float]]


def start_server(
    command: Sequence[str],
    *,
    directory: Path,
    log: Path,
    death_signal: signal.Signals,
    environment: Mapping[str, str] | None,
    account: SystemUser | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in ``directory`` with its output in ``log``; it gets ``death_signal`` when we die."""
    if log.exists() and log.lstat().st_size > LOG_MAX_BYTES:
        log.replace(log.with_suffix(".log.1"))
    # What a server logs may hold somebody's data.
    with open(log, "ab", opener=open_private) as output:
        output.write(_STARTED)
        output.flush()
        return subprocess.Popen(  # noqa: S603 - a server that we found ourselves
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            # A terminal's Ctrl-C is for us; we stop the servers last.
            start_new_session=True,
            umask=0o077,
            preexec_fn=parent_death_signal(death_signal),  # noqa: PLW1509 - it calls prctl and nothing else
            **account_options(account),
        )


class AccountOptions(TypedDict, total=False):
    """The part of subprocess's options that says who a program runs as."""

    user: int
    group: int
    extra_groups: list[int]


def account_options(account: SystemUser | None) -> AccountOptions:
    """What subprocess takes to run a program as ``account``."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def stop_server(process: subprocess.Popen[bytes], steps: StopSteps) -> None:
    """Ask ever more firmly, and kill in the end."""
    for number, seconds in (*steps, (signal.SIGKILL, None)):
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def stop_orphan(pid_file: Path, directory: Path, steps: StopSteps) -> None:
    """Stop the server that a killed owner of ``directory`` left behind, if it is still there.

    Only the holder of the data directory's lock may call this. A stale ``pid_file`` whose number now belongs
    to somebody else is removed: PostgreSQL would take it for a running server.
    """
    try:
        process = psutil.Process(int(read_plain(pid_file).split()[0]))
        is_ours = Path(process.cwd()).samefile(directory)
    except (FileNotFoundError, ForeignFileError, ValueError, IndexError, psutil.NoSuchProcess):
        return
    except psutil.AccessDenied:  # another user's
        is_ours = False
    if not is_ours:
        pid_file.unlink(missing_ok=True)
        return
    for number, seconds in (*steps, (signal.SIGKILL, 10)):
        try:
            process.send_signal(number)
            process.wait(seconds)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue
        return


def last_line(log: Path) -> str:
    """Why the server ended, by its last start's own words: the last that it calls fatal, else its last.

    A full stop when it said nothing.
    """
    try:
        said = log.read_bytes()[-_LAST_BYTES:].rpartition(_STARTED)[2]
    except FileNotFoundError:
        return "."
    lines = said.decode(errors="replace").strip().splitlines()
    fatal = [line for line in lines if "FATAL" in line.upper()]
    return f": {(fatal or lines)[-1]}" if lines else "."
