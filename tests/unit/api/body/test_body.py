"""The body's bytes: limits, gzip, and bodies that end too early."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest

from api.body.read import BodyForm, body_form, read_body
from api.web.errors import ApiError

LIMIT = 100_000


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a slow connection does."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 7))


class Broken(io.BytesIO):
    def read(self, _: int | None = -1, /) -> bytes:
        raise ConnectionResetError("peer")


def form(length: int | None = None, *, gzipped: bool = False) -> BodyForm:
    return BodyForm(content_length=length, gzip=gzipped, by_line=False)


def test_a_body_is_read_to_its_length() -> None:
    assert read_body(Trickle(b"x" * 1_000), form(1_000), max_body_bytes=LIMIT) == b"x" * 1_000


def test_a_body_of_unknown_length_is_read_to_its_end() -> None:
    assert read_body(Trickle(b"x" * 1_000), form(), max_body_bytes=LIMIT) == b"x" * 1_000


def test_a_body_of_exactly_the_limit_is_taken_and_a_byte_more_is_not() -> None:
    assert len(read_body(io.BytesIO(b"x" * LIMIT), form(), max_body_bytes=LIMIT)) == LIMIT
    with pytest.raises(ApiError) as raised:
        read_body(io.BytesIO(b"x" * (LIMIT + 1)), form(), max_body_bytes=LIMIT)
    assert raised.value.status == 413
    assert f"maxBodyBytes is {LIMIT}" in raised.value.msg


def test_an_endless_body_is_read_no_further_than_the_limit() -> None:
    stream = io.BytesIO(b"x" * 10 * LIMIT)
    with pytest.raises(ApiError):
        read_body(stream, form(), max_body_bytes=LIMIT)

    assert stream.tell() == LIMIT + 1


def test_a_body_cut_short_is_refused() -> None:
    with pytest.raises(ApiError) as raised:
        read_body(io.BytesIO(b"x" * 10), form(15), max_body_bytes=LIMIT)
    assert raised.value.status == 400
    assert "5 bytes before the 15" in raised.value.msg


def test_a_broken_connection_is_the_clients_fault() -> None:
    with pytest.raises(ApiError) as raised:
        read_body(Broken(), form(15), max_body_bytes=LIMIT)
    assert raised.value.status == 400


@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
@pytest.mark.parametrize("members", [1, 3])
def test_gzip_is_inflated_even_in_several_members(stream: type[io.BytesIO], members: int) -> None:
    sent = gzip.compress(b"order " * 5_000) * members

    body = read_body(stream(sent), form(len(sent), gzipped=True), max_body_bytes=LIMIT)

    assert body == b"order " * 5_000 * members


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"not gzip",
        gzip.compress(b"order " * 100)[:-5],
        gzip.compress(b"order " * 100)[:-8] + b"\x00" * 8,
        gzip.compress(b"order") + b"trailing",
        gzip.compress(b"") * 1_001,
    ],
    ids=["empty", "not gzip", "cut short", "wrong checksum", "trailing", "a thousand empty members"],
)
def test_what_is_not_whole_gzip_is_refused(sent: bytes) -> None:
    with pytest.raises(ApiError) as raised:
        read_body(Trickle(sent), form(len(sent), gzipped=True), max_body_bytes=LIMIT)
    assert raised.value.status == 400
    assert "gzip" in raised.value.msg


def test_a_gzip_bomb_is_inflated_no_further_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(ApiError) as raised:
        read_body(io.BytesIO(bomb), form(len(bomb), gzipped=True), max_body_bytes=1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert raised.value.status == 413
    assert "after inflating" in raised.value.msg
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("content_type", "charset", "encoding", "length", "status"),
    [
        ("", "", "", 1, 415),
        ("text/plain", "", "", 1, 415),
        ("application/x-www-form-urlencoded", "", "", 1, 415),
        ("application/json", "latin-1", "", 1, 415),
        ("application/json", "", "br", 1, 415),
        ("application/json", "", "gzip, gzip", 1, 415),
        ("application/json", "", "", LIMIT + 1, 413),
    ],
)
def test_what_the_headers_give_away_is_refused_before_reading(
    content_type: str, charset: str, encoding: str, length: int, status: int
) -> None:
    with pytest.raises(ApiError) as raised:
        body_form(content_type, charset, encoding, length, max_body_bytes=LIMIT)
    assert raised.value.status == status


def test_known_content_types_and_encodings_are_accepted() -> None:
    plain = body_form("application/json", "UTF-8", "identity", 5, max_body_bytes=LIMIT)
    lines = body_form("application/x-ndjson", "", "GZIP", None, max_body_bytes=LIMIT)

    assert plain == BodyForm(content_length=5, gzip=False, by_line=False)
    assert lines == BodyForm(content_length=None, gzip=True, by_line=True)
