"""What is written goes where we meant it to go, whatever another user of the machine has put there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from shared.private_files import (
    ForeignFileError,
    check_private,
    check_way_to,
    make_private_directory,
    open_private,
    read_plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
MALLORY = 54_321


def open_to_write(path: Path) -> None:
    with open(path, "wb", opener=open_private) as file:
        file.write(b"ours")


def test_a_missing_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "deep" / "mails")

    assert (tmp_path / "deep" / "mails").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777])
def test_a_directory_that_others_write_to_is_refused_with_its_mode(tmp_path: Path, mode: int) -> None:
    place = tmp_path / "mails"
    place.mkdir()
    place.chmod(mode)

    with pytest.raises(ForeignFileError, match=rf"{place} can be written .*mode {mode:04o}.*chmod go-w"):
        make_private_directory(place)


def test_a_directory_below_one_that_all_write_to_is_refused_unless_each_keeps_its_own(tmp_path: Path) -> None:
    between = tmp_path / "between"
    between.mkdir()
    between.chmod(0o777)

    with pytest.raises(ForeignFileError, match=f"{between} can be written to by all"):
        check_way_to(between / "data")
    between.chmod(0o1777)
    check_way_to(between / "data")


@needs_root
def test_what_another_user_owns_or_leads_to_is_refused(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    os.chown(theirs, MALLORY, MALLORY)
    link, by_way_of = tmp_path / "link", tmp_path / "by-way-of"
    link.symlink_to(ours)
    os.chown(link, MALLORY, MALLORY, follow_symlinks=False)
    by_way_of.symlink_to(link)

    with pytest.raises(ForeignFileError, match="belongs to the user number 54321"):
        check_private(theirs)
    for path in (theirs / "data", link, link / "data", by_way_of / "data"):
        with pytest.raises(ForeignFileError, match="belongs to the user number 54321"):
            check_way_to(path)
    check_way_to(ours / "data")


def test_a_link_of_our_own_may_lead_to_a_directory_but_not_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")

    check_way_to(tmp_path / "data" / "ordermill")
    with pytest.raises(OSError, match="symbolic links"):
        check_way_to(tmp_path / "circle")


def a_link(path: Path, target: Path) -> None:
    path.symlink_to(target)


def another_name(path: Path, target: Path) -> None:
    path.hardlink_to(target)


def a_pipe(path: Path, _target: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("put", [a_link, another_name, a_pipe])
def test_nothing_is_written_through_what_stands_in_a_files_place(
    put: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    target, path = tmp_path / "passwd", tmp_path / "postgres.log"
    target.write_text("theirs")
    put(path, target)

    with pytest.raises(ForeignFileError, match=r"postgres\.log"):
        open_to_write(path)
    assert target.read_text() == "theirs"


def test_a_file_is_ours_alone_from_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "servers.lock"
    path.write_text("of an earlier version")
    path.chmod(0o664)

    open_to_write(path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("ours", 0o600)


@pytest.mark.parametrize("put", [a_link, a_pipe])
def test_no_link_is_read_and_no_pipe_waited_for(put: Callable[[Path, Path], None], tmp_path: Path) -> None:
    target, path = tmp_path / "shadow", tmp_path / "postmaster.pid"
    target.write_text("1")
    put(path, target)

    with pytest.raises(ForeignFileError, match=r"postmaster\.pid"):
        read_plain(path)
    assert read_plain(target) == "1"
