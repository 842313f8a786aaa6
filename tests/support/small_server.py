"""A small HTTP server that keeps the contract, for the client to talk to; no job of ours behind it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "om_brasslamp_secret"
JOB_ID = "01997c1e-0000-7000-8000-0000000000aa"
SYNC_MAX_ORDERS = 3
EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Canned:
    """An answer that is given once in place of the real one; without a status the connection is cut."""

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class SmallServer:
    """Decides ``pace`` more orders of its one job at each look. An order with a ``code`` is rejected.

    The Idempotency-Key of the batch before is the same job again, as far as it is.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.canned: list[Canned] = []
        self.pace = 2
        self.streams = False
        self.outcomes: dict[str, Any] = {}
        self.decided = 0
        self._idempotency_key = ""
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, seen: Seen) -> Canned:
        self.seen.append(seen)
        if self.canned:
            return self.canned.pop(0)
        if seen.headers.get("API-Authorization") != KEY:
            return api_error(401, "This key is not known.")
        if seen.method == "POST":
            return self._accept(seen)
        if seen.path == f"/v1/jobs/{JOB_ID}":
            return self._shown(seen)
        if seen.path.partition("?")[0] == f"/v1/jobs/{JOB_ID}/results":
            return self._results(seen)
        return api_error(404, f"There is no {seen.path}.")

    def _accept(self, seen: Seen) -> Canned:
        headers = {"Location": f"/v1/jobs/{JOB_ID}"}
        waits = seen.headers.get("Prefer") != "respond-async"
        if seen.headers["Idempotency-Key"] == self._idempotency_key:
            headers["Idempotent-Replayed"] = "true"
        else:
            self._idempotency_key = seen.headers["Idempotency-Key"]
            self.outcomes = {key: _outcome(order) for key, order in json.loads(seen.body).items()}
            self.decided = len(self.outcomes) if waits and len(self.outcomes) <= SYNC_MAX_ORDERS else 0
        if self.decided < len(self.outcomes):
            return Canned(202, self.job_json(), {"Retry-After": "0", **headers})
        return Canned(200, self._outcomes(), headers)

    def _shown(self, seen: Seen) -> Canned:
        if self.streams and EVENTS in seen.headers.get("Accept", ""):
            return self._events()
        self.decided = min(self.decided + self.pace, len(self.outcomes))
        return Canned(200, self.job_json())

    def _events(self) -> Canned:
        """The whole stream at once: the client reads it line by line all the same."""
        told = b"retry: 1000\n\n"
        while self.decided < len(self.outcomes):
            self.decided = min(self.decided + self.pace, len(self.outcomes))
            told += b":\n\nevent: progress\nid: 7\ndata: %b\n\n" % self.job_json()
        return Canned(200, told, {"Content-Type": f"{EVENTS}; charset=utf-8"})

    def _results(self, seen: Seen) -> Canned:
        accept = seen.headers.get("Accept", "")
        if accept in {"text/csv", "application/x-ndjson"}:
            return Canned(200, f"{accept} {seen.path}\n".encode())
        return Canned(200, self._outcomes(failed="status=no" in seen.path))

    def _outcomes(self, *, failed: bool = False) -> bytes:
        there = dict(list(self.outcomes.items())[: self.decided])
        if failed:
            there = {key: outcome for key, outcome in there.items() if outcome["status"] == "no"}
        # Odd spaces, so that a client that makes its own JSON of it is found out; letters as they are.
        return json.dumps(there, separators=(" , ", " :"), ensure_ascii=False).encode()

    def job_json(self) -> bytes:
        there = list(self.outcomes.values())[: self.decided]
        codes = [str(outcome["code"]) for outcome in there if "code" in outcome]
        done = self.decided == len(self.outcomes)
        answer = {
            "id": JOB_ID,
            "state": "partially_succeeded" if done and codes else "succeeded" if done else "running",
            "done": done,
            "total": len(self.outcomes),
            "pending": len(self.outcomes) - self.decided,
            "ok": len(there) - len(codes),
            "failed": len(codes),
            "cancelled": 0,
            "percent": 100.0 if done else 100 * self.decided / len(self.outcomes),
            "codes": {code: codes.count(code) for code in codes},
            "createdAt": "2027-01-05T10:00:00Z",
            "startedAt": None,
            "finishedAt": None,
            "expiresAt": "2027-02-04T10:00:00Z",
            "links": {"self": f"/v1/jobs/{JOB_ID}", "results": f"/v1/jobs/{JOB_ID}/results"},
        }
        return json.dumps(answer).encode()


def api_error(status: int, msg: str, **headers: str) -> Canned:
    body = json.dumps({"status": "no", "code": -7, "msg": msg}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Canned(status, body, {"X-Request-ID": "req-77", **named})


def _outcome(order: dict[str, Any]) -> dict[str, Any]:
    if "code" in order:
        return {"status": "no", "code": order["code"], "msg": "RED-STOOL is gone"}
    return {"status": "ok", "orders": [1234]}


def _handler(server: SmallServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A cut connection must not leave its thread waiting for ever.
        timeout = 5

        def do_GET(self) -> None:
            self._reply(b"")

        def do_DELETE(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"])))

        def _reply(self, body: bytes) -> None:
            answer = server.answer(Seen(self.command, self.path, dict(self.headers), body))
            if not answer.status:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Stay quiet."""

    return Handler
