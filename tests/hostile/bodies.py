"""Bodies that are small when they are sent, and what comes back of them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from tests.hostile.check import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.ground import Ground

_KEY_CHARS = 30_000_000
_ANSWER_BYTES = 4_096


def what_is_refused_does_not_come_back_whole(ground: Ground) -> Iterator[Cost]:
    """Send a key of 30 million characters twice, as gzip."""
    key = b"A" * _KEY_CHARS
    body = gzip.compress(b'{"%b":1,"%b":2}' % (key, key), 1)

    with ground.api() as api:
        answer = api.post(body, "Content-Encoding: gzip")

    assert answer.status in {400, 413}, answer.status
    yield Cost("bytes sent", len(body), "bytes")
    yield Cost("bytes that came back", len(answer.body), "bytes", _ANSWER_BYTES)
