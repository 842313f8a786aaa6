"""Large results: the same bytes as ever, in pieces, that hold neither much memory nor a connection."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from sqlalchemy import make_url, text

from api.jobs.pieces import PIECE_BYTES
from tests.support.api import ApiClient
from tests.support.fresh_databases import database_url

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


ORDERS = 40
# An order's faults, some 40 KB of them: a slice of five is less than a piece, all of them are six.
REJECTED = {"status": "no", "code": -7, "msg": "no. " * 10_000, "retryable": False}


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    return api.with_settings(slice_max_orders=5, sync_max_orders=1, database_pool_size=1)


def rejected_job(api: ApiClient) -> tuple[str, bytes]:
    """A job whose orders were all rejected at length: its results' path, and the bytes that stand there."""
    posted = api.post({f"key {n}": n for n in range(ORDERS)}, Prefer="respond-async")
    outcomes: dict[str, Any] = {}
    for slice_id, _, _ in api.open_slices():
        [(body,)] = api.rows("SELECT body FROM slices WHERE id = :id", id=slice_id)
        own = {key: {**REJECTED, "n": n} for key, n in json.loads(body).items()}
        outcomes |= own
        close(api, slice_id, orjson.dumps(own))
    return f"{posted.headers['Location']}/results", orjson.dumps(outcomes)


def close(api: ApiClient, slice_id: int, outcomes: bytes) -> None:
    with api.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE slices SET started_at = now(), closed_at = now(), outcomes = :outcomes, ok_count = 0,"
                " codes = '{}' WHERE id = :id"
            ),
            {"id": slice_id, "outcomes": outcomes},
        )


def reader(api: ApiClient, path: str) -> TestResponse:
    """Ask with a key of one's own, and read no more than the first piece."""
    key = api.new_key(f"Reader {uuid4()}", "jobs:read-all")
    return api.client.get(path, headers={"API-Authorization": key}, buffered=False)


@contextmanager
def database_away(api: ApiClient, seconds: float) -> Iterator[int]:
    """Nobody is connected to the API's database, or let in, for so long; gives how many were."""
    name = make_url(api.settings.database_url).database
    with psycopg.connect(database_url(api.settings.database_url, "postgres"), autocommit=True) as server:

        def allow(allowed: str) -> None:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')

        allow("false")
        back = threading.Timer(seconds, allow, ["true"])
        back.start()
        try:
            yield server.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
            ).rowcount
        finally:
            back.join()


def test_results_in_pieces_are_the_bytes_of_the_whole_and_their_length_is_told(api: ApiClient) -> None:
    path, expected = rejected_job(api)

    answer = api.get(path)

    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(expected)
    assert answer.data == expected


def test_no_piece_is_much_larger_than_a_piece(api: ApiClient) -> None:
    path, expected = rejected_job(api)

    pieces = list(reader(api, path).iter_encoded())

    assert b"".join(pieces) == expected
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 2 * PIECE_BYTES


def test_who_does_not_read_holds_no_connection(api: ApiClient) -> None:
    path, expected = rejected_job(api)

    waiting = [reader(api, path) for _ in range(5)]

    # There is one connection in all.
    assert api.get(path.removesuffix("/results")).status_code == 200
    assert [one.data == expected for one in waiting] == [True] * 5


def test_readers_reserve_memory_until_they_are_done(api: ApiClient) -> None:
    narrow = api.with_settings(memory_budget_bytes=5 * PIECE_BYTES, slice_max_orders=5, sync_max_orders=1)
    path, expected = rejected_job(narrow)

    first = reader(narrow, path)
    while_full = narrow.get(path)
    whole = first.data
    first.close()

    assert (whole, while_full.status_code) == (expected, 503)
    assert int(while_full.headers["Retry-After"]) > 0
    assert narrow.get(path).data == expected


def test_a_200_that_there_is_no_memory_to_send_is_the_202_of_its_job(api: ApiClient) -> None:
    narrow = api.with_settings(memory_budget_bytes=5 * PIECE_BYTES, slice_max_orders=5, sync_max_orders=1)
    path, expected = rejected_job(narrow)
    again = {"Prefer": "wait=5", "Idempotency_Key": "again"}
    body = {f"key {n}": n for n in range(ORDERS)}
    held = reader(narrow, path)
    first = narrow.post(body, Prefer="respond-async", Idempotency_Key="again")
    for slice_id, _, _ in narrow.open_slices(first.headers["Location"].rpartition("/")[2]):
        close(narrow, slice_id, orjson.dumps({f"{slice_id}.{n}": REJECTED for n in range(5)}))

    while_full = narrow.post(body, **again)
    held.close()
    after = narrow.post(body, **again)

    assert (while_full.status_code, after.status_code) == (202, 200)
    assert while_full.headers["Location"] == after.headers["Location"] == first.headers["Location"]
    assert len(after.data) > PIECE_BYTES
    assert len(expected) > PIECE_BYTES


def test_a_database_that_comes_back_cuts_no_answer_short(api: ApiClient) -> None:
    path, expected = rejected_job(api)
    reading = reader(api, path)

    with database_away(api, seconds=1) as ended:
        assert ended > 0
        assert reading.data == expected


def test_one_order_alone_is_answered_with_its_bare_outcome(api: ApiClient) -> None:
    posted = api.client.post(
        "/v1/order",
        data=b"{}",
        headers={
            "API-Authorization": api.key,
            "Content-Type": "application/json",
            "Prefer": "respond-async",
        },
    )
    [(slice_id, job_id, _)] = api.open_slices()
    assert isinstance(job_id, UUID)
    close(api, slice_id, orjson.dumps({"": REJECTED | {"msg": "x" * 2 * PIECE_BYTES}}))

    answer = api.get(f"{posted.headers['Location']}/results")

    assert answer.json is not None
    assert answer.json["msg"] == "x" * 2 * PIECE_BYTES
    assert sys.getsizeof(answer.data) > PIECE_BYTES
