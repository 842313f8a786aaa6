"""The contents of a data directory: what of ours lies there, and that nobody else has put it there."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from cli.servers.accounts import may_have_run
from shared.private_files import ForeignFileError, check_ours, check_private, user_name

# Other names are somebody's notes, and never looked into.
_OURS: Final = ("servers.", ".servers-", ".passwords-", "postgres", "redis", "sockets", "mails", "demo.log")
# Earlier versions left these as the umask had it; each is closed to others when it is opened.
_CLOSED_WHEN_OPENED: Final = (".lock", ".use", ".log", ".log.1", ".pid")
# What belongs to PostgreSQL's user where that is not us.
_OF_POSTGRES: Final = frozenset({"postgres", "postgres.new"})
# What we run, or what a server does as it is told in there.
_LOOKED_THROUGH: Final = ("postgresql-", "redis")


def check_contents(data_dir: Path) -> None:
    """Raise ForeignFileError for what another user has put in the place of ours, and for links."""
    for path in sorted(data_dir.iterdir()):
        if not path.name.startswith(_OURS):
            continue
        if path.name in _OF_POSTGRES:
            _check_of_postgres(path)
        elif path.name == "sockets":
            _check_sockets(path)
        elif path.name.endswith(_CLOSED_WHEN_OPENED):
            check_ours(path)
        else:
            check_private(path)
            if path.name.startswith(_LOOKED_THROUGH):
                _check_below(path)


def _check_of_postgres(path: Path) -> None:
    """PostgreSQL itself wants it to be its user's, and closed to others; here it is who that may be."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ForeignFileError(path, "is not a directory")
    if not may_have_run(found.st_uid):
        raise ForeignFileError(path, f"belongs to the user {user_name(found.st_uid)}")


def _check_sockets(path: Path) -> None:
    """Where a link leads is looked at when it is followed; in a directory, each server has one of its own."""
    if not path.is_symlink():
        check_private(path)
        for below in path.iterdir():
            _check_of_postgres(below)


def _check_below(path: Path) -> None:
    for directory, names, files in os.walk(path):
        for name in (*names, *files):
            check_ours(Path(directory, name))
