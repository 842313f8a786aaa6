"""Files and directories that no other user can alter: looked at before anything is written there.

Whoever owns a directory, or may write to it, can put a link in the place of a file, and what we write, as
root perhaps, goes to where the link leads. In a directory that passes here nobody else makes links, so that
what was found stays true.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from pathlib import Path
from typing import Final

# As many as the kernel follows.
_LINKS_MAX: Final = 40
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_READ_MAX_BYTES: Final = 1 << 16


class ForeignFileError(PermissionError):
    """Somebody else owns it or can alter it; ``strerror`` names it and says why, without a full stop."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(errno.EPERM, f"{path} {why}")


def make_private_directory(path: Path) -> None:
    """Have ``path``, made with its parents where it is missing, as a directory that only we write to.

    Raises ForeignFileError, and any other OSError where it cannot be made.
    """
    check_way_to(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_way_to(path)
    check_private(Path(os.path.realpath(path)))


def check_way_to(path: Path) -> None:
    """Raise ForeignFileError if another user can put something else in the place of ``path``.

    That is whoever owns one of the directories that lead there, or may write to one of them where it does not
    keep each user's entries to that user (as /tmp does), or has made a link on the way. A group that may is
    trusted so far: often it is the user's own, and what it puts there is not ours.
    """
    absolute = path.absolute()
    _check_links(absolute, _LINKS_MAX)
    for directory in Path(os.path.realpath(absolute)).parents:
        try:
            found = directory.lstat()
        except FileNotFoundError:
            continue  # it is made by us
        _check_owner(directory, found)
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise ForeignFileError(directory, f"can be written to by all users ({_mode(found)})")


def check_ours(path: Path) -> os.stat_result:
    """What ``path`` is. Raises ForeignFileError unless it is ours (or root's), and no link."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise ForeignFileError(path, f"is a symbolic link to {path.readlink()}")
    _check_owner(path, found)
    return found


def check_private(path: Path) -> None:
    """Raise ForeignFileError unless ``path`` is ours (or root's), no link, and only we write to it."""
    found = check_ours(path)
    if found.st_mode & _OTHERS_WRITE:
        raise ForeignFileError(
            path, f"can be written to by other users ({_mode(found)}); if all in it is yours, chmod go-w it"
        )


def open_private(path: str, flags: int) -> int:
    """What ``open`` takes to make a file, or to have one, that only its owner can read and write.

    Raises ForeignFileError for a file that is not ours, or not ours alone.
    """
    try:
        # Emptied only once it is known whose it is.
        descriptor = os.open(path, (flags | os.O_NOFOLLOW | os.O_NONBLOCK) & ~os.O_TRUNC, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise ForeignFileError(path, "is a link or a pipe, not a file of ours") from error
        raise
    try:
        _keep_to_us(path, descriptor)
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _keep_to_us(path: str, descriptor: int) -> None:
    found = os.fstat(descriptor)
    _check_owner(path, found)
    if not stat.S_ISREG(found.st_mode):
        raise ForeignFileError(path, "is not a file")
    if found.st_nlink > 1:
        raise ForeignFileError(path, "is the same file as another: remove one of its names")
    if found.st_mode & 0o077 and found.st_uid == os.geteuid():
        os.fchmod(descriptor, 0o600)


def read_plain(path: Path) -> str:
    """The text of a small file that another user may have made: no link is followed, no pipe waited for.

    Raises ForeignFileError for what is no file, FileNotFoundError, UnicodeDecodeError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ForeignFileError(path, "is a symbolic link") from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ForeignFileError(path, "is not a file")
        return file.read(_READ_MAX_BYTES).decode()


def _check_links(path: Path, left: int) -> None:
    """Look at each link on the way to an absolute path, and at those on the way to where it leads."""
    if not left:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    for place in (*reversed(path.parents), path):
        if not place.is_symlink():
            continue
        _check_owner(place, place.lstat())
        _check_links(place.parent / place.readlink(), left - 1)


def _check_owner(path: Path | str, found: os.stat_result) -> None:
    if found.st_uid not in (0, os.geteuid()):
        raise ForeignFileError(path, f"belongs to the user {user_name(found.st_uid)}")


def user_name(uid: int) -> str:
    """What a person calls a user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"number {uid}"


def _mode(found: os.stat_result) -> str:
    return f"mode {stat.S_IMODE(found.st_mode):04o}"
