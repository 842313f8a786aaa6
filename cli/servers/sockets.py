"""The directory of the servers' sockets: the data directory, or a short private one if that is too long."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from cli.servers.data_dir import DataDir
from shared.private_files import check_way_to

# What the kernel lets a Unix socket's path have: sun_path less its closing NUL, on macOS (Linux has 107).
_PATH_MAX_BYTES = 103
# The longest that goes below the sockets' directory.
_LONGEST = "/postgres/.s.PGSQL.5432.lock"
# A comma would make a list of hosts of it for libpq; nothing odd at all is the simple rule.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]*")


def sockets_dir(data_dir: DataDir) -> Path:
    """Make and give the directory of the sockets.

    When it is outside the data directory, ``<data-dir>/sockets`` is a link to it, which is also how the next
    start finds it again.
    """
    place = data_dir.path / "sockets"
    if _fits(place):
        if place.is_symlink():  # of a time when the path was another
            place.unlink()
        place.mkdir(exist_ok=True)
        place.chmod(data_dir.passable)
        return place
    if not (place.is_symlink() and _is_ours(place.readlink())):
        place.unlink(missing_ok=True)
        place.symlink_to(_short_dir(data_dir.passable))
    return place.readlink()


def remove_sockets(data_dir: DataDir) -> None:
    """Take the sockets' directory away; a link and what it leads to both."""
    place = data_dir.path / "sockets"
    if place.is_symlink():
        if _is_ours(place.readlink()):
            shutil.rmtree(place.readlink(), ignore_errors=True)
        place.unlink()
    else:
        shutil.rmtree(place, ignore_errors=True)


def is_plain(path: Path) -> bool:
    """Whether nothing in a path means anything to a shell or a list of hosts."""
    return bool(_PLAIN.fullmatch(str(path)))


def _fits(place: Path) -> bool:
    longest = f"{place}{_LONGEST}"
    return bool(_PLAIN.fullmatch(longest)) and len(longest) <= _PATH_MAX_BYTES


def _short_dir(mode: int) -> Path:
    base = tempfile.gettempdir()
    if not _fits(Path(base, "ordermill-12345678")):
        base = "/tmp"  # noqa: S108 - mkdtemp makes a private directory in it
    check_way_to(Path(base, "ordermill-12345678"))
    made = Path(tempfile.mkdtemp(prefix="ordermill-", dir=base))
    made.chmod(mode)
    return made


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o066
