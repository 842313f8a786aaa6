"""A data directory that another user of the machine prepared, or can alter, is no place for our servers."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from cli.demo.stack import served
from cli.servers import ServersError
from cli.servers.accounts import UIDS
from cli.servers.data_dir import open_data_dir
from cli.servers.sockets import remove_sockets, sockets_dir
from cli.system.stop_signals import StopRequest
from shared.domain.delivery import Deferred
from worker.mail.files import FilePost
from worker.mail.message import Letter

if TYPE_CHECKING:
    from pathlib import Path

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
MALLORY = 54_321


@pytest.fixture
def data_dir(new_data_dir: Path) -> Path:
    return new_data_dir / "data"


def give(path: Path) -> None:
    os.chown(path, MALLORY, MALLORY, follow_symlinks=False)


def test_a_missing_directory_is_made_and_found_again(data_dir: Path) -> None:
    made = open_data_dir(data_dir)

    assert data_dir.stat().st_mode & 0o777 == made.passable
    assert data_dir.stat().st_mode & 0o022 == 0
    assert open_data_dir(data_dir) == made


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o1777])
def test_a_directory_that_others_write_to_is_refused(data_dir: Path, mode: int) -> None:
    data_dir.mkdir()
    (data_dir / "postgres.log").write_text("")
    data_dir.chmod(mode)

    with pytest.raises(ServersError, match=rf"{data_dir} can be written.*mode {mode:04o}.*--data-dir"):
        open_data_dir(data_dir)


@needs_root
def test_root_uses_no_directory_of_another_user(data_dir: Path) -> None:
    data_dir.mkdir()
    give(data_dir)

    with pytest.raises(ServersError, match="belong to the user number 54321: run ordermill as that user"):
        open_data_dir(data_dir)
    with pytest.raises(ServersError, match="belongs to the user number 54321"):
        open_data_dir(data_dir / "below")
    assert list(data_dir.iterdir()) == []


@needs_root
def test_root_follows_no_link_of_another_user_to_a_directory_of_its_own(data_dir: Path) -> None:
    own = data_dir.parent / "etc"
    own.mkdir()
    data_dir.symlink_to(own)
    give(data_dir)

    with pytest.raises(ServersError, match=f"{data_dir} belongs to the user number 54321"):
        open_data_dir(data_dir)
    assert list(own.iterdir()) == []


@needs_root
@pytest.mark.parametrize(
    "name", ["servers.json", "postgres.passwords", "redis.pid", "redis", "postgres", "sockets", "mails"]
)
def test_what_another_user_left_in_a_directory_is_not_used(data_dir: Path, name: str) -> None:
    data_dir.mkdir()
    (data_dir / name).mkdir() if "." not in name else (data_dir / name).touch()
    give(data_dir / name)

    with pytest.raises(ServersError, match=f"{name} belongs to the user number 54321"):
        open_data_dir(data_dir)


@needs_root
@pytest.mark.parametrize("directory", ["redis", "postgresql-1-pginstall18"])
def test_programs_and_files_that_another_user_left_are_not_used(data_dir: Path, directory: str) -> None:
    (data_dir / directory / "deep").mkdir(parents=True)
    (data_dir / directory / "deep" / "postgres").touch()
    give(data_dir / directory / "deep" / "postgres")

    with pytest.raises(ServersError, match="deep/postgres belongs to the user number 54321"):
        open_data_dir(data_dir)


@pytest.mark.parametrize(
    "name",
    ["servers.lock", "servers.json", "postgres.passwords", "postgres.log", "redis.pid", "redis", "postgres"],
)
def test_no_link_stands_for_a_file_or_directory_of_ours(data_dir: Path, name: str) -> None:
    data_dir.mkdir()
    target = data_dir.parent / "target"
    target.write_text("somebody's")
    (data_dir / name).symlink_to(target)

    with pytest.raises(ServersError, match=rf"{data_dir / name} is (a symbolic link|not a directory)"):
        open_data_dir(data_dir)
    assert target.read_text() == "somebody's"


@needs_root
def test_a_cluster_may_be_of_a_user_that_ran_it_before(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o711)
    (data_dir / "postgres" / "pg_tblspc").mkdir(parents=True)

    for uid in (UIDS.start, 65_534, 0):
        os.chown(data_dir / "postgres", uid, uid)
        assert open_data_dir(data_dir).account is not None


def test_what_a_link_to_sockets_leads_to_is_removed_only_if_it_is_ours(data_dir: Path) -> None:
    opened = open_data_dir(data_dir / ("x" * 100))
    elsewhere = sockets_dir(opened)
    somebodys = data_dir.parent / "somebodys"
    somebodys.mkdir(mode=0o777)
    somebodys.chmod(0o777)
    (somebodys / "letter").touch()
    (opened.path / "sockets").unlink()
    (opened.path / "sockets").symlink_to(somebodys)

    assert sockets_dir(opened) not in (somebodys, elsewhere)
    made = (opened.path / "sockets").readlink()
    remove_sockets(opened)
    (opened.path / "sockets").symlink_to(somebodys)
    remove_sockets(opened)

    assert [made.exists(), (somebodys / "letter").exists()] == [False, True]
    elsewhere.rmdir()


def test_the_demo_does_not_write_its_log_through_a_link(data_dir: Path) -> None:
    open_data_dir(data_dir)
    target = data_dir.parent / "target"
    target.write_text("somebody's")
    (data_dir / "demo.log").symlink_to(target)

    with (
        StopRequest() as stop,
        pytest.raises(ServersError, match=r"demo\.log is a symbolic link"),
        served(data_dir, 1, stop),
    ):
        pass
    assert target.read_text() == "somebody's"


def test_mails_wait_while_their_directory_is_open_to_others(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o777)
    data_dir.chmod(0o777)

    handed = FilePost(data_dir).deliver(letter(), lambda: pytest.fail("it was claimed"))

    assert isinstance(handed, Deferred)
    assert f"{data_dir} can be written to by other users (mode 0777)" in handed.reason
    assert list(data_dir.iterdir()) == []


def letter() -> Letter:
    return Letter(7, "mill@example.com", "eva@example.com", b"To: eva@example.com\r\n\r\nHej\r\n")


def test_a_socket_in_a_files_place_is_refused(data_dir: Path) -> None:
    data_dir.mkdir()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(data_dir / "servers.json"))
        (data_dir / "servers.json").chmod(0o666)

        with pytest.raises(ServersError, match=r"servers\.json can be written to by other users"):
            open_data_dir(data_dir)
