"""The whole of ordermill as a subprocess, for tests that speak HTTP to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from cli.servers import temporary_data_dir
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[2] / "cli" / "samples"
_READY_SECONDS = 60
_STOP_SECONDS = 60


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
            env=environment(self.data_dir),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def await_job(self, path: str, *, limit_seconds: float = 60) -> dict[str, Any]:
        """Look at a job until it is done; its counts add up whenever one looks, and never run backwards."""
        decided = 0

        def done() -> dict[str, Any]:
            nonlocal decided
            job: dict[str, Any] = self.client.get(path).raise_for_status().json()
            counted = job["ok"] + job["failed"] + job["cancelled"]
            assert job["pending"] + counted == job["total"]
            assert counted >= decided
            decided = counted
            return job if job["done"] else {}

        return until(done, f"{path} is done", limit_seconds, look_seconds=0.05)

    def stop(self) -> int:
        """SIGTERM, and the exit code that it ends with."""
        self.process.terminate()
        return self.process.wait(_STOP_SECONDS)


@contextmanager
def running_stack(*, workers: int = 2) -> Iterator[Stack]:
    """Serve the sample catalog to a key that may write orders, until the end of the block."""
    with temporary_data_dir() as data_dir:
        log = data_dir / "serve.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli", "serve", "--port", "0", "--workers", str(workers)],
                env=environment(data_dir),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        with process, httpx.Client(base_url=_url(process, log), timeout=60, trust_env=False) as client:
            stack = Stack(data_dir, process, client)
            try:
                _await_ready(stack)
                stack.run("catalog", "load", str(SAMPLES / "catalog.json"))
                scopes = "orders:write,orders:read"
                key = stack.run("keys", "create", "--name", "tests", "--scopes", scopes).strip()
                client.headers["API-Authorization"] = key
                yield stack
            except BaseException:
                print(log.read_text(errors="replace")[-20_000:])  # noqa: T201 - pytest shows it
                raise
            finally:
                if process.poll() is None:
                    stack.stop()


def environment(data_dir: Path) -> dict[str, str]:
    """Ours, without the servers and keys that somebody may have set for themselves."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ORDERMILL_")}
    return {
        **ours,
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SMTP_URL": "",
        "ORDERMILL_DATA_DIR": str(data_dir),
        "LOG_FORMAT": "json",
    }


def catalog_file(directory: Path, items: list[dict[str, Any]]) -> Path:
    """Write a catalog of nothing but ``items``, at 10.00 in each of the sample's pricelists."""
    sample = json.loads((SAMPLES / "catalog.json").read_text(encoding="utf-8"))
    prices = {pricelist["name"]: "10.00" for pricelist in sample["pricelists"]}
    path = directory / "items.json"
    path.write_text(json.dumps({"items": [{"prices": prices, **item} for item in items]}), encoding="utf-8")
    return path


def _url(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout
    for line in process.stdout:
        if line.startswith("ordermill is at "):
            return line.split()[-1]
    raise AssertionError(f"serve ended:\n{log.read_text(errors='replace')}")


def _await_ready(stack: Stack) -> None:
    until(lambda: stack.client.get("/readyz").is_success, "it is ready", _READY_SECONDS, look_seconds=0.1)
