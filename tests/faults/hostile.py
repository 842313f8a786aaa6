"""Clients that mean harm, in turns with peace: what they do to the others shows in how long those wait."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from tests.support.orders import ADDRESS
from tests.support.until import pause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOSTILE: Final = "hostile"
"""The request id of whatever they send. Its jobs are no client's of the campaign, and make no order."""

TURN_SECONDS: Final = 10.0
"""How long they are at it, and how long they leave everybody in peace then."""

_LIMIT_SECONDS = 15.0
_SILENT = 30
_NOT_READING = 5
_LINES = [{"sku": "BRASS-LAMP-00", "qty": 1}]
# Each of them is rejected, so that no order is made that no client of the campaign knows of.
_MANY_CODES = {"address": ADDRESS, "products": _LINES, "voucherCodes": ["x"] * 90_000}
_MANY_FAULTS: dict[str, object] = {"products": [{}] * 25}
_LONG_NUMBERS = ",".join(f'"a{number}":1e1000' for number in range(6_000))


class HostileClients:
    """A thread for each kind of harm, with one key for all of them; ``turns`` is when they were at it."""

    def __init__(self, url: str, key: str) -> None:
        self.done: Counter[str] = Counter()
        self.turns: list[tuple[float, float]] = []
        self._address = urlsplit(url)
        self._headers = {
            "API-Authorization": key,
            "Content-Type": "application/json",
            "X-Request-ID": HOSTILE,
        }
        self._over, self._at_it = threading.Event(), threading.Event()
        harms = (self._one_byte, self._read_nothing, self._many_codes, self._long_numbers)
        self._threads = [
            threading.Thread(target=self._keep_on, args=(harm,), name=harm.__name__, daemon=True)
            for harm in harms
        ]
        self._threads.append(threading.Thread(target=self._take_turns, name="turns", daemon=True))

    def start(self) -> None:
        """Begin with peace."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, and wait until all have hung up."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def were_at_it(self, moment: float) -> bool:
        """Whether they were at it at a moment, by a clock that is never set."""
        return any(begun <= moment < ended for begun, ended in self.turns)

    def _take_turns(self) -> None:
        while not self._over.wait(TURN_SECONDS):
            begun = time.monotonic()
            self._at_it.set()
            self._over.wait(TURN_SECONDS)
            self._at_it.clear()
            self.turns.append((begun, time.monotonic()))

    def _keep_on(self, harm: Callable[[httpx.Client], None]) -> None:
        url = f"http://{self._address.netloc}"
        while not self._over.is_set():
            if not self._at_it.wait(0.1):
                continue
            # What is killed under their hands is no concern of theirs.
            with (
                suppress(OSError, httpx.HTTPError, ValueError, KeyError),
                httpx.Client(
                    base_url=url, headers=self._headers, timeout=_LIMIT_SECONDS, trust_env=False
                ) as client,
            ):
                harm(client)
                self.done[harm.__name__.removeprefix("_").replace("_", " ")] += 1
            self._over.wait(0.1)

    def _while_at_it(self) -> None:
        """Hold what is held until the turn is over."""
        while self._at_it.is_set() and not self._over.wait(0.1):
            pass

    def _connected(self, opened: ExitStack, *sent: bytes) -> None:
        address = (self._address.hostname or "", self._address.port or 80)
        connected = opened.enter_context(socket.create_connection(address, timeout=_LIMIT_SECONDS))
        connected.sendall(b"".join(sent))

    def _one_byte(self, _: httpx.Client) -> None:
        """Connections that begin a request, without any key, and say no more."""
        with ExitStack() as opened:
            for _number in range(_SILENT):
                self._connected(opened, b"G")
            self._while_at_it()

    def _read_nothing(self, client: httpx.Client) -> None:
        """Ask for results of megabytes and take none of them."""
        job = self._post(client, {str(number): _MANY_FAULTS for number in range(1_000)}).json()
        while self._at_it.is_set() and not client.get(job["links"]["self"]).json()["done"]:
            pause(0.2, "a pace of looking")
        head = [f"GET {job['links']['results']} HTTP/1.1", f"Host: {self._address.netloc}"]
        head += [f"{name}: {value}" for name, value in self._headers.items()]
        with ExitStack() as opened:
            for _number in range(_NOT_READING):
                self._connected(opened, "\r\n".join([*head, "", ""]).encode("ascii"))
            self._while_at_it()

    def _many_codes(self, client: httpx.Client) -> None:
        """Orders that are long to read and to look up."""
        self._post(client, {str(number): _MANY_CODES for number in range(4)})

    def _long_numbers(self, client: httpx.Client) -> None:
        """Numbers that are longer written than stored; and pages as long as may be."""
        order = json.dumps({"address": ADDRESS, "products": _LINES, "extraAttributes": {}})
        order = order.replace('"extraAttributes": {}', f'"extraAttributes": {{{_LONG_NUMBERS}}}')
        self._post(client, f'{{"a": {order}, "b": {order}}}')
        client.get("/v1/orders", params={"limit": 1_000})

    @staticmethod
    def _post(client: httpx.Client, batch: dict[str, object] | str) -> httpx.Response:
        body = batch if isinstance(batch, str) else json.dumps(batch)
        headers = {"Prefer": "respond-async", "Content-Encoding": "gzip"}
        packed = gzip.compress(body.encode("ascii"), 1)
        return client.post("/v1/orders", content=packed, headers=headers).raise_for_status()


def p99(took: Sequence[float]) -> float | None:
    """The 99th of a hundred, in the unit of what is given."""
    return sorted(took)[int(0.99 * (len(took) - 1))] if took else None
