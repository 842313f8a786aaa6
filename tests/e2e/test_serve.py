from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from cli.servers import temporary_data_dir
from cli.system.listen_socket import listen
from tests.support.stack import Served, serving
from tests.support.until import until

_SECONDS = 60


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_data_dir() as made:
        yield made


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=10, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def gone(processes: list[psutil.Process]) -> bool:
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_serve_runs_heals_and_stops_everything(folder: Path) -> None:
    with serving(folder, "--workers", "1") as served:
        assert "ordermill keys create" in served.said[1]
        assert "ordermill catalog load" in served.said[2]
        until(lambda: is_ready(served.url), "it is ready", _SECONDS)

        # Whatever is killed comes back, the servers too; the API's socket stays open meanwhile. Its processes
        # die together: one that outlives the others may take a connection with it a moment later.
        for role in [served.role(name) for name in ("api", "worker", "scheduler")]:
            os.killpg(role.pid, signal.SIGKILL)
        assert httpx.get(f"{served.url}/healthz", timeout=30, trust_env=False).status_code == 200
        for process in served.descendants():
            if process.name() in ("postgres", "redis-server") and process.ppid() == served.process.pid:
                process.kill()
        until(lambda: "server_restarted" in served.log.read_text(), "the server is restarted", _SECONDS)
        until(lambda: is_ready(served.url), "it is ready", _SECONDS)

        everything = served.descendants()
        assert len(everything) > 8
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(_SECONDS) == 0
        assert gone(everything)
        host, _, port = served.url.removeprefix("http://").partition(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), timeout=5)
        assert "child_killed" not in served.log.read_text()


def test_a_killed_serve_leaves_nothing_and_the_next_one_starts(folder: Path) -> None:
    with serving(folder, "--workers", "1") as served:
        everything = served.descendants()
        served.process.kill()
        served.process.wait()
        until(lambda: gone(everything), "nothing is left", seconds=15)

    with serving(folder, "--workers", "1") as served:
        until(lambda: is_ready(served.url), "it is ready", _SECONDS)
        what_gunicorn_says_itself(served)
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(_SECONDS) == 0


def what_gunicorn_says_itself(served: Served) -> None:
    """No server's name, and a request that is not HTTP is refused in JSON like any other."""
    answer = httpx.get(f"{served.url}/healthz", trust_env=False)
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nno header at all\r\n\r\n")
        response = connection.makefile("rb").read().decode()

    assert "server" not in answer.headers
    assert response.startswith("HTTP/1.1 400 ")
    assert "Content-Type: application/json" in response
    assert '{"status": "no", "code": -7, "msg": "The request cannot be read: ' in response


def test_a_taken_port_is_told_before_anything_is_started(folder: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-P", "-m", "cli", "serve", "--port", port, "--data-dir", str(folder / "new")],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: Port {port} of 127.0.0.1 is taken")
    assert not (folder / "new").exists()
