"""Readers that ask for much and take little of it, and what they cost the API in memory."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import text

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key
from tests.hostile.check import MIB, Cost
from tests.support.api_process import ApiProcess, MemoryWatch
from tests.support.until import pause, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.ground import Ground
    from tests.support.api_process import Connection

READERS = 20
RESULT_BYTES = 16 * MIB
_SLICES = 100
_READER_BYTES = 2 * MIB
"""What one reader may cost at most. It reserves half a MiB; the rest is its thread and the allocator's."""
_LOOK_SECONDS = 3.0
# Outcomes as a worker writes them, of the length that is wanted.
_CLOSE = text("""
    UPDATE slices SET started_at = now(), closed_at = now(), ok_count = 0, codes = '{}',
        outcomes = convert_to(json_build_object('key ' || number, json_build_object(
            'status', 'no', 'code', -7, 'msg', repeat('no: ', :bytes / 4)))::text, 'UTF8')
    WHERE closed_at IS NULL
""")
_HUGE_NUMBERS = text("""
    UPDATE orders SET extra_attributes = (
        SELECT jsonb_object_agg('a' || n, 1e1000::numeric) FROM generate_series(1, 6000) AS n)
""")


def who_reads_nothing_costs_next_to_nothing(ground: Ground) -> Iterator[Cost]:
    """20 clients ask for results of 16 MB and read nothing of them."""
    with ground.api() as api, ExitStack() as opened:
        path = _large_results(api)
        before = api.memory_bytes()
        with MemoryWatch(api) as watch:
            for key in _keys(api):
                _asked(api, opened, path, key)
            # One line is the first reader's.
            until(lambda: _answered(api) == READERS + 1, "all are being answered")
            pause(_LOOK_SECONDS, "they read nothing")
        probe = api.get("/healthz")
    assert probe.status == 200
    yield _grown(before, watch)
    yield Cost("a probe beside them", probe.seconds, "s")


def who_reads_slowly_costs_next_to_nothing_and_gets_everything(ground: Ground) -> Iterator[Cost]:
    """20 clients ask for results of 16 MB, read a little now and then, and at last all of it."""
    with ground.api() as api, ExitStack() as opened:
        path = _large_results(api)
        before = api.memory_bytes()
        with MemoryWatch(api) as watch:
            readers = [_asked(api, opened, path, key) for key in _keys(api)]
            until_seconds = time.monotonic() + _LOOK_SECONDS
            while time.monotonic() < until_seconds:
                for reader in readers:
                    reader.unread += reader.socket.recv(1 << 14)
                pause(0.05, "a pace of reading")
            lengths = {_read_to_its_end(reader) for reader in readers}
    assert len(lengths) == 1
    yield Cost("bytes each of them got", lengths.pop(), "bytes")
    yield _grown(before, watch)


def numbers_that_are_longer_written_than_stored_cost_no_page(ground: Ground) -> Iterator[Cost]:
    """A page of 20 orders whose 6,000 attributes are 1e1000, as they could once be sent; and one of them."""
    order = {
        "address": {"country": "SE", "email": "a@example.com"},
        "products": [{"sku": "OAK-TABLE", "qty": 1}],
    }
    batch = {str(number): {**order, "adjustStock": False} for number in range(20)}
    with ground.api() as api:
        api.outcomes(api.post(orjson.dumps(batch), "Prefer: respond-async"))
        with api.engine.begin() as connection:
            connection.execute(_HUGE_NUMBERS)
        before = api.memory_bytes()
        with MemoryWatch(api) as of_page:
            page = api.get("/v1/orders?limit=20")
        with MemoryWatch(api) as of_one:
            one = api.get("/v1/orders?limit=1")
    assert (page.status, "ordersPageMaxBytes" in page.json["msg"]) == (400, True), page.status
    assert one.status == 200, one.status
    yield Cost("memory for the page", (of_page.most_bytes - before) / MIB, "MiB", 16)
    yield Cost("the one order", len(one.body) / MIB, "MiB")
    yield Cost("memory for the one order", (of_one.most_bytes - before) / MIB, "MiB", 64)


def _large_results(api: ApiProcess) -> str:
    """A finished job: where its results of RESULT_BYTES are."""
    batch = orjson.dumps({f"key {number}": number for number in range(50 * _SLICES)})
    answer = api.post(batch, "Prefer: respond-async")
    assert answer.status == 202, answer.body
    with api.engine.begin() as connection:
        connection.execute(_CLOSE, {"bytes": RESULT_BYTES // _SLICES})
    path = f"{answer.headers['Location']}/results"
    # The first reader imports and connects, which is no cost of a hostile one.
    assert len(api.get(path).body) >= RESULT_BYTES
    return path


def _keys(api: ApiProcess) -> list[str]:
    """A key for each reader: what is measured is not what one of them may do at once."""
    made = utc_now()
    return [
        create_api_key(api.engine, f"Reader {number}", ["jobs:read-all"], None, None, made)
        for number in range(READERS)
    ]


def _answered(api: ApiProcess) -> int:
    return sum('"route":"/v1/jobs/<job_id>/results"' in line.replace(" ", "") for line in api.log)


def _asked(api: ApiProcess, opened: ExitStack, path: str, key: str) -> Connection:
    reader = opened.enter_context(api.connected())
    reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    reader.send(api.head("Connection: close", method="GET", path=path, key=key))
    return reader


def _read_to_its_end(reader: Connection) -> int:
    """Read all that is left of an answer, and give the length of its body."""
    pieces = [reader.unread]
    reader.socket.settimeout(60)
    while received := reader.socket.recv(1 << 18):
        pieces.append(received)
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert len(orjson.loads(body)) == _SLICES
    return len(body)


def _grown(before: int, watch: MemoryWatch) -> Cost:
    return Cost("memory for them", (watch.most_bytes - before) / MIB, "MiB", READERS * _READER_BYTES / MIB)
