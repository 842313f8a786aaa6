"""PostgreSQL and Redis for one machine, started where none is named; the rest of ordermill sees URLs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import structlog

from cli.servers import redis_server
from cli.servers.data_dir import CLUSTER, DataDir, ServersError, open_data_dir, temporary_data_dir
from cli.servers.owner_lock import FileLock, ServerUrls, publish, published, signer
from cli.servers.running_servers import RunningServers
from shared.persistence.core.database import open_database, ping
from shared.persistence.core.errors import PersistenceError
from shared.settings import Settings

__all__ = [
    "RunningServers",
    "ServerUrls",
    "ServersError",
    "open_servers",
    "run_servers",
    "temporary_data_dir",
]

log = structlog.get_logger()

_OWNER_WAIT_SECONDS = 10.0
_USER_WAIT_SECONDS = 120.0


@contextmanager
def open_servers(
    settings: Settings, data_dir: Path, *, own: bool, make: bool = True, durable: bool = True
) -> Iterator[ServerUrls]:
    """Servers for as long as the block lasts: named by the settings, running already, or started by us.

    ``own=True`` makes us the one who runs those of ``data_dir``, and excludes every other such owner.
    Otherwise those of a running owner are used, and without one they are started for this block; who finds
    them meanwhile may use them, and we wait for it in the end. With ``make=False`` there must be a database
    in ``data_dir`` already: an empty one is nothing to look for a key or an order in. Raises ServersError.
    """
    if settings.database_url and settings.redis_url:
        yield ServerUrls(settings.database_url, settings.redis_url, settings.migrate_database_url)
    elif own:
        with run_servers(settings, data_dir, durable=durable) as servers:
            yield servers.urls
    else:
        # Before the directory itself is made.
        if not (make or settings.database_url or (data_dir.expanduser() / "servers.lock").exists()):
            _refuse_to_make(data_dir)
        with _shared(settings, open_data_dir(data_dir), make=make, durable=durable) as urls:
            yield urls


@contextmanager
def run_servers(
    settings: Settings, data_dir: Path, *, durable: bool = True, wait_seconds: float = _OWNER_WAIT_SECONDS
) -> Iterator[RunningServers]:
    """Own the servers of ``data_dir``, waiting so long for another owner to leave. Raises ServersError.

    The kernel stops them when the calling thread ends: call it from one that lives as long as they should.
    """
    if settings.database_url and settings.redis_url:
        yield RunningServers(settings, DataDir(data_dir, None), durable=durable)
        return
    opened = open_data_dir(data_dir)
    lock_path = opened.path / "servers.lock"
    lock = FileLock(lock_path)
    if not lock.acquire():
        log.info("waiting_for_another_ordermill", data_dir=str(opened.path), pid=signer(lock_path))
        if not lock.acquire(limit_seconds=wait_seconds):
            raise ServersError(
                f"Another ordermill (process {signer(lock_path)}) runs the servers of {opened.path}: "
                "stop it first, or choose another --data-dir."
            )
    with _running(settings, opened, lock, durable=durable) as servers:
        yield servers


@contextmanager
def _running(
    settings: Settings, data_dir: DataDir, lock: FileLock, *, durable: bool
) -> Iterator[RunningServers]:
    """Start the servers under the lock that the caller has taken; stop them and release it in the end."""
    told = data_dir.path / "servers.json"
    with ExitStack() as stack:
        stack.callback(lock.release)
        told.unlink(missing_ok=True)
        lock.sign()
        servers = RunningServers(settings, data_dir, durable=durable)
        stack.callback(servers.stop)
        servers.revive()
        stack.callback(told.unlink, missing_ok=True)
        publish(told, servers.urls)
        yield servers


@contextmanager
def _shared(settings: Settings, data_dir: DataDir, *, make: bool, durable: bool) -> Iterator[ServerUrls]:
    use = FileLock(data_dir.path / "servers.use")
    # Held back only by an owner that is just stopping what it started for itself.
    if not use.acquire(shared=True, limit_seconds=_USER_WAIT_SECONDS):
        raise ServersError(
            f"Another ordermill takes too long to stop the servers of {data_dir.path}: try again."
        )
    with ExitStack() as stack:
        stack.callback(use.release)
        lock = FileLock(data_dir.path / "servers.lock")
        found = _find_running(settings, data_dir, lock)
        if found is not None:
            yield found
            return
        use.release()
        if not (make or settings.database_url or (data_dir.path / CLUSTER).exists()):
            lock.release()
            _refuse_to_make(data_dir.path)
        servers = stack.enter_context(_running(settings, data_dir, lock, durable=durable))
        stack.callback(_wait_for_users, use)
        yield servers.urls


def _refuse_to_make(data_dir: Path) -> NoReturn:
    raise ServersError(
        f"There is no ordermill database in {data_dir}: name the one that your `ordermill serve` has with "
        f"--data-dir or ORDERMILL_DATA_DIR, or make one: `ordermill serve --data-dir {data_dir}`."
    )


def _find_running(settings: Settings, data_dir: DataDir, lock: FileLock) -> ServerUrls | None:
    """The running owner's servers; None when there is no owner, and ``lock`` makes us the one."""
    deadline = time.monotonic() + _USER_WAIT_SECONDS
    told = data_dir.path / "servers.json"
    lock_path = data_dir.path / "servers.lock"
    while not lock.acquire():
        urls = published(told, signer(lock_path))
        if urls is not None and _answer(settings, urls):
            return _preferring(settings, urls)
        if time.monotonic() > deadline:
            raise ServersError(
                f"Another ordermill (process {signer(lock_path)}) holds {data_dir.path}, "
                "but its servers do not answer."
            )
        time.sleep(0.05)
    return None


def _preferring(settings: Settings, urls: ServerUrls) -> ServerUrls:
    """``urls``, but for the servers that the settings name."""
    if settings.database_url:
        return ServerUrls(
            settings.database_url, settings.redis_url or urls.redis_url, settings.migrate_database_url
        )
    return replace(urls, redis_url=settings.redis_url or urls.redis_url)


def _answer(settings: Settings, urls: ServerUrls) -> bool:
    engine = open_database(replace(settings, database_url=urls.database_url), "cli")
    try:
        ping(engine)
    except PersistenceError:
        return False
    finally:
        engine.dispose()
    return redis_server.answers(urls.redis_url)


def _wait_for_users(use: FileLock) -> None:
    """Keep what we started until nobody else uses it; who comes later waits for us, and starts their own."""
    if not use.acquire():
        log.info("waiting_for_commands_that_use_our_servers")
        use.acquire(limit_seconds=None)
