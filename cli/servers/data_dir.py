"""The data directory: where the embedded servers live, and the user that PostgreSQL runs as."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.servers.accounts import SystemUser, account_for
from cli.servers.contents import check_contents
from shared.private_files import check_private, check_way_to, user_name

CLUSTER = "postgres"
"""PostgreSQL's directory in the data directory."""


class ServersError(Exception):
    """The servers cannot be had; the message is one sentence for a person, with the way out."""


@dataclass(frozen=True)
class DataDir:
    """A data directory that is ready for servers; ``account`` is None when they run as we do."""

    path: Path
    account: SystemUser | None

    def private_dir(self, path: Path, *, for_account: bool = False) -> Path:
        """Make ``path`` if it is missing: a directory that only its owner can enter."""
        path.mkdir(mode=0o700, exist_ok=True)
        if for_account and self.account is not None:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)
        return path

    @property
    def passable(self) -> int:
        """The mode of a directory that PostgreSQL's user has to pass through."""
        # 0711: the account passes through to its own directory inside, and can list nothing.
        return 0o700 if self.account is None else 0o711


def open_data_dir(path: Path) -> DataDir:
    """Make ``path`` fit for servers. Raises ServersError when it cannot be.

    That is too when another user owns it, or can alter it or what leads to it: root would write, and run,
    what that user likes.
    """
    named = path.expanduser().absolute()
    place = Path(os.path.realpath(named))
    try:
        _check(named, place)
        data_dir = DataDir(place, account_for(place / CLUSTER))
        made = _make(data_dir)
        _check(named, place)
        check_private(place)
        if not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if data_dir.account is not None and not _can_enter(data_dir.account, data_dir.path):
            if made:
                data_dir.path.rmdir()
            raise ServersError(
                f"PostgreSQL does not run as root, and the user {data_dir.account.name} that it would run as "
                f"cannot enter {data_dir.path}: choose a place open to other users with --data-dir, such as "
                "/var/lib/ordermill."
            )
    except OSError as error:
        raise ServersError(
            f"The data directory {place} cannot be used ({error.strerror}): "
            "choose another with --data-dir or ORDERMILL_DATA_DIR."
        ) from error
    return data_dir


@contextmanager
def temporary_data_dir() -> Iterator[Path]:
    """A data directory in the system's temporary place, removed at the end of the block."""
    made = Path(tempfile.mkdtemp(prefix="ordermill-"))
    made.chmod(DataDir(made, account_for(made / CLUSTER)).passable)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _make(data_dir: DataDir) -> bool:
    """Make the data directory if it is missing, and say whether it was."""
    path, made = data_dir.path, True
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        made = False
        # An empty directory of ours was made to be handed to us (as by mkdtemp); any other keeps its mode.
        if path.stat().st_uid != os.geteuid() or any(path.iterdir()):
            return made
    path.chmod(data_dir.passable)
    return made


def _check(named: Path, place: Path) -> None:
    """Before we make anything of it, and again when nobody else can alter it any more."""
    check_way_to(named)
    _check_owner(place)
    if place.is_dir():
        check_contents(place)


def _check_owner(data_dir: Path) -> None:
    """Two users on one data directory would lock each other out file by file. One that root made will do."""
    us = os.geteuid()
    for path, may_be in ((data_dir, {0, us}), (data_dir / "servers.lock", {us})):
        if path.exists() and (owner := path.stat().st_uid) not in may_be:
            raise ServersError(
                f"The servers of {data_dir} belong to the user {user_name(owner)}: run ordermill as that "
                "user, or choose another --data-dir."
            )


def _can_enter(account: SystemUser, path: Path) -> bool:
    # Tried rather than read off the modes: there are access lists and the modes of all parents.
    tried = subprocess.run(  # noqa: S603 - our own words
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        env={},
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0
