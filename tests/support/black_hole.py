"""A way to a server whose connections can be made to lead nowhere, as when a firewall forgets them."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

_CHUNK = 65536


@dataclass
class Pair:
    """A connection of a client's, and ours to the server behind."""

    client: socket.socket
    server: socket.socket
    lost: threading.Event = field(default_factory=threading.Event)


class BlackHole:
    """Listens on loopback and passes everything on to a Unix socket, until told to lose it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[Pair] = []
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = [self._listener]
        self._start(threading.Thread(target=self._accept, daemon=True))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def lose_all(self) -> int:
        """Pass nothing on any more over the connections that there are, without closing one; count them."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.lost.set()
        return len(pairs)

    def __enter__(self) -> Self:
        """Be there."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let nobody in any more, and hang up."""
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()

    def _start(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                self._sockets += [client, server]
                server.connect(self._path)
                pair = Pair(client, server)
                self._pairs.append(pair)
                for one, other in ((client, server), (server, client)):
                    self._start(threading.Thread(target=_pass_on, args=(pair, one, other), daemon=True))


def _pass_on(pair: Pair, one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while chunk := one.recv(_CHUNK):
            if pair.lost.is_set():
                return
            other.sendall(chunk)
    if not pair.lost.is_set():
        for end in (pair.client, pair.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
