"""The whole of ordermill as one subprocess, ``ordermill serve``, for tests that speak HTTP to it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from cli.servers import temporary_data_dir
from tests.support.job_client import await_job
from tests.support.role_process import role_environment
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[2] / "cli" / "samples"
_SECONDS = 60


@dataclass
class Served:
    """``ordermill serve`` as a process, and what it said first."""

    process: subprocess.Popen[str]
    said: list[str]
    log: Path

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.said[0].removeprefix("ordermill is at ")

    def descendants(self) -> list[psutil.Process]:
        """All processes below it."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def role(self, name: str) -> psutil.Process:
        """The process of a role, not its own children."""
        (found,) = [
            child
            for child in psutil.Process(self.process.pid).children()
            if child.is_running() and {name, f"{name}-process"} & set(child.cmdline())
        ]
        return found


@contextmanager
def serving(data_dir: Path, *words: str) -> Iterator[Served]:
    """Serve on a data directory until the end of the block; ``words`` are further options."""
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "serve", "--port", "0", "--data-dir", str(data_dir), *words],
            env=role_environment(),
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    assert process.stdout is not None
    try:
        first = process.stdout.readline().rstrip()
        assert first.startswith("ordermill is at "), log.read_text()
        yield Served(
            process, [first, process.stdout.readline().strip(), process.stdout.readline().strip()], log
        )
    except BaseException:
        print(log.read_text(errors="replace")[-20_000:])  # noqa: T201 - pytest shows it
        raise
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            log.unlink()


@dataclass
class Stack:
    """``ordermill serve`` on a data directory of its own, and a client with a key."""

    data_dir: Path
    process: subprocess.Popen[str]
    client: httpx.Client

    def run(self, *words: str) -> str:
        """Run another command of ordermill beside it, and give what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *words],
            env=role_environment(ORDERMILL_DATA_DIR=str(self.data_dir)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def await_job(self, path: str) -> dict[str, Any]:
        """Look at a job until it is done."""
        return await_job(self.client, path)

    def stop(self) -> int:
        """SIGTERM, and the exit code that it ends with."""
        self.process.terminate()
        return self.process.wait(_SECONDS)


@contextmanager
def running_stack(*, workers: int = 2) -> Iterator[Stack]:
    """Serve the sample catalog to a key that may write orders, until the end of the block."""
    with (
        temporary_data_dir() as data_dir,
        serving(data_dir, "--workers", str(workers)) as served,
        httpx.Client(base_url=served.url, timeout=60, trust_env=False) as client,
    ):
        stack = Stack(data_dir, served.process, client)
        until(lambda: client.get("/readyz").is_success, "it is ready", _SECONDS, look_seconds=0.1)
        stack.run("catalog", "load", str(SAMPLES / "catalog.json"))
        scopes = "orders:write,orders:read"
        key = stack.run("keys", "create", "--name", "tests", "--scopes", scopes).strip()
        client.headers["API-Authorization"] = key
        yield stack


def catalog_file(directory: Path, items: list[dict[str, Any]]) -> Path:
    """Write a catalog of nothing but ``items``, at 10.00 in each of the sample's pricelists."""
    sample = json.loads((SAMPLES / "catalog.json").read_text(encoding="utf-8"))
    prices = {pricelist["name"]: "10.00" for pricelist in sample["pricelists"]}
    path = directory / "items.json"
    path.write_text(json.dumps({"items": [{"prices": prices, **item} for item in items]}), encoding="utf-8")
    return path
