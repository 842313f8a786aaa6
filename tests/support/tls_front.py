"""TLS in front of a server that speaks it not: the embedded ones are built without."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
from contextlib import suppress
from typing import Self


class TlsFront:
    """Listens on loopback, speaks TLS there, and passes everything on to a Unix socket.

    ``postgres`` answers PostgreSQL's own question before TLS begins, with no when there is no ``context``.
    """

    def __init__(self, behind: str, context: ssl.SSLContext | None, *, postgres: bool) -> None:
        self._behind = behind
        self._context = context
        self._postgres = postgres
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
            if self._postgres:
                client.recv(8)
                client.sendall(b"N" if self._context is None else b"S")
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
            server.connect(self._behind)
            _pass_on(client, server)
            client.close()


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                read = key.fileobj
                assert isinstance(read, socket.socket)
                said = read.recv(65536)
                while isinstance(read, ssl.SSLSocket) and read.pending():
                    said += read.recv(65536)
                if not said:
                    return
                key.data.sendall(said)
