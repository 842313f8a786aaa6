"""The head of a request: collected as it comes, without a thread, and what has to be right with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gunicorn.http import errors

from api.server.error_responses import AmbiguousTargetError, MalformedHostError
from api.server.targets import is_host, is_plain_target

if TYPE_CHECKING:
    from collections.abc import Sequence

_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_VERSIONS: Final = frozenset({(1, 0), (1, 1)})


class IncomingHead:
    """What has come of a request until its head is whole; each byte is looked at a fixed number of times."""

    def __init__(self, *, line_max_bytes: int, most_bytes: int) -> None:
        self._line_max_bytes = line_max_bytes
        self._most_bytes = most_bytes
        self._received = bytearray()
        self._looked_at = 0
        self._first_line_ends = False
        self.is_whole = False

    def __len__(self) -> int:
        """How many bytes have come."""
        return len(self._received)

    def add(self, data: bytes) -> None:
        """Take what has come. It may be more than the head."""
        self._received += data
        if not self.is_whole:
            self.is_whole = self._ends()
            self._looked_at = len(self._received)

    def received(self) -> bytes:
        """Everything that has come, and what is behind the head too."""
        return bytes(self._received)

    def path(self) -> bytes:
        """The path of the request as it was sent, ``b""`` where there is none; of a whole head."""
        line = bytes(self._received[: self._line_max_bytes]).lstrip(b"\r\n").partition(b"\r\n")[0]
        parts = line.split(b" ")
        return parts[1].partition(b"?")[0] if len(parts) == 3 else b""  # noqa: PLR2004 - method, target, version

    def _ends(self) -> bool:
        """Whether the head is whole, or can be refused whatever else comes."""
        # One empty line before a request is allowed (RFC 9112, 2.2).
        start = 2 if self._received[:2] == b"\r\n" else 0
        unseen = max(start, self._looked_at - 3)
        self._first_line_ends = self._first_line_ends or self._received.find(b"\r\n", unseen) >= 0
        return (
            self._received.find(b"\r\n\r\n", unseen) >= 0
            or self._received[start : start + 2] == b"\r\n"
            or _BARE_LINE_FEED.search(self._received, unseen) is not None
            or (not self._first_line_ends and len(self._received) - start > self._line_max_bytes + 2)
            or len(self._received) > self._most_bytes
        )


def check_head(request: Any) -> None:
    """Refuse what gunicorn takes and a proxy in front might read otherwise: raises its ParseExceptions."""
    if request.version not in _VERSIONS:
        raise errors.InvalidHTTPVersion(request.version)
    codings = _values(request, "TRANSFER-ENCODING")
    if codings and [coding.lower() for coding in codings] != ["chunked"]:
        raise errors.UnsupportedTransferCoding("of these codings")
    hosts = _values(request, "HOST")
    wanted = request.version == (1, 1)
    if len(hosts) > 1 or (wanted and not hosts) or not all(is_host(host) for host in hosts):
        raise MalformedHostError
    if not is_plain_target(request.method, request.uri):
        raise AmbiguousTargetError


def _values(request: Any, name: str) -> Sequence[str]:
    return [value for header, value in request.headers if header == name]
