"""The account of PostgreSQL when we are root, which it refuses to be: a user id that is nobody else's.

The customary ``nobody`` is shared by whatever a system wants to keep harmless, and each of those would be
this database's user. A number needs no entry in any list, except for initdb, which asks for a name.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

log = structlog.get_logger()

# Below it are the numbers of a system's own users (SYS_UID_MAX in login.defs).
_PEOPLE_FROM = 1_000
# Handed out by no distribution and not by systemd, and within what a container usually may use.
UIDS = range(60_600, 61_100)


@dataclass(frozen=True)
class SystemUser:
    """A user and group to run a program as."""

    name: str
    uid: int
    gid: int


def account_for(cluster: Path) -> SystemUser | None:
    """Who is to run the server of ``cluster``; None when we are not root, and it runs as we do.

    Its owner where that is a number of ours, else a number that no user and no process has. Where there is
    none to be had, or the cluster reaches out of its directory, it stays with its owner; a new one is
    ``nobody``'s then.
    """
    if os.geteuid() != 0:
        return None
    owner = cluster.stat().st_uid if cluster.exists() else None
    if owner is not None and owner in UIDS:
        return _number(owner)
    if owner is not None and _reaches_out(cluster):
        return _entry(owner)
    taken = _uids_in_use() | {entry.pw_uid for entry in pwd.getpwall()}
    free = next((uid for uid in UIDS if uid not in taken and _may_become(uid)), None)
    if free is not None:
        return _number(free)
    log.warning("no_user_id_of_its_own", instead="nobody", none_is_free_of=f"{UIDS.start}-{UIDS.stop - 1}")
    return _entry(pwd.getpwnam("nobody").pw_uid)


def may_have_run(uid: int) -> bool:
    """Whether a cluster of this owner can be one of ours: never a person's who is not us."""
    if uid == os.geteuid():
        return True
    return os.geteuid() == 0 and (uid in UIDS or uid < _PEOPLE_FROM or uid == pwd.getpwnam("nobody").pw_uid)


def initializer() -> SystemUser | None:
    """Who is to run initdb: an entry of the list of users that no process runs as just now, ``nobody`` first.

    What it makes is handed over. None when there is no such entry.
    """
    busy = _uids_in_use()
    idle = [entry for entry in pwd.getpwall() if entry.pw_uid not in busy and _may_become(entry.pw_uid)]
    idle.sort(key=lambda entry: entry.pw_name != "nobody")
    return next((SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid) for entry in idle), None)


def hand_over(tree: Path, account: SystemUser) -> None:
    """Make ``account`` the owner of ``tree`` and of all in it that is in nobody else's hands as well.

    Its present owner may have put links there, which must not lead us to other files.
    """
    for _, _, names, directory in os.fwalk(tree, follow_symlinks=False):
        os.fchown(directory, account.uid, account.gid)
        for name in names:
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode) or found.st_nlink == 1:
                os.chown(name, account.uid, account.gid, dir_fd=directory, follow_symlinks=False)


def _number(uid: int) -> SystemUser:
    return SystemUser(f"number {uid}", uid, uid)


def _entry(uid: int) -> SystemUser:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return _number(uid)
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _reaches_out(cluster: Path) -> bool:
    """Whether a part of it lies elsewhere: handing that over is not for us."""
    return (cluster / "pg_wal").is_symlink() or any((cluster / "pg_tblspc").iterdir())


def _uids_in_use() -> set[int]:
    found = set()
    for process in psutil.process_iter(["uids"]):
        uids = process.info["uids"]
        if uids is not None:
            found |= {uids.real, uids.effective, uids.saved}
    return found


def _may_become(uid: int) -> bool:
    """Whether this user namespace knows the number, and it is not root."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except FileNotFoundError:  # not Linux
        return uid != 0
    ranges = [list(map(int, line.split())) for line in lines]
    return uid != 0 and any(first <= uid < first + count for first, _, count in ranges)
