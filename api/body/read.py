"""The body's bytes, within the limit: plain or gzip, of a known length or chunked (contract §2)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from api.web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE_BYTES = 1 << 18
_GZIP = 31  # zlib's word for "a gzip header and trailer, and the largest window"
# A gzip stream may be several joined together, and each costs a little even when it holds nothing.
_MOST_GZIP_MEMBERS = 1000


class ByteStream(Protocol):
    """What a server gives to read a body from."""

    def read(self, size: int, /) -> bytes:
        """Give up to ``size`` bytes, none at the end."""


@dataclass(frozen=True, kw_only=True)
class BodyForm:
    """What the headers say of a body: its length in bytes when told, whether it is gzip, and its shape."""

    content_length: int | None
    gzip: bool
    by_line: bool


def body_form(
    content_type: str,
    charset: str,
    content_encoding: str,
    content_length: int | None,
    *,
    max_body_bytes: int,
    limit: str = "maxBodyBytes",
) -> BodyForm:
    """Check what can be known before a byte of the body is read.

    Raises ApiError: 415 for a type, charset or encoding that is not taken, 413 for a length over the limit.
    """
    types = {"application/json": False, "application/x-ndjson": True}
    by_line = types.get(content_type)
    if by_line is None:
        raise ApiError(
            415,
            "The Content-Type must be application/json or application/x-ndjson.",
            headers={"Accept-Post": ", ".join(types)},
        )
    if charset.lower() not in {"", "utf-8", "utf8", "us-ascii"}:
        raise ApiError(415, "The charset of the Content-Type must be utf-8, which is that of JSON.")
    encoding = content_encoding.strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise ApiError(
            415,
            "The Content-Encoding must be gzip, or there must be none.",
            headers={"Accept-Encoding": "gzip"},
        )
    if content_length is not None and content_length > max_body_bytes:
        raise _too_many_bytes(limit, max_body_bytes, f"has {content_length} bytes")
    return BodyForm(content_length=content_length, gzip=encoding.endswith("gzip"), by_line=by_line)


def read_body(
    stream: ByteStream,
    form: BodyForm,
    *,
    max_body_bytes: int,
    limit: str = "maxBodyBytes",
    reserve: Callable[[int], None] = lambda _: None,
) -> bytearray:
    """Read all of a body, inflated. Never holds more than the limit and a piece.

    ``reserve`` is told of each piece before it is kept, and may refuse.

    Raises ApiError: 413 over the limit, 400 for a body that was cut short or is not the gzip it says it is,
    408 when the body comes too slowly.
    """
    body = bytearray()
    pieces = _pieces(stream, form, max_body_bytes)
    for piece in _inflated(pieces) if form.gzip else pieces:
        reserve(len(piece))
        body += piece
        if len(body) > max_body_bytes:
            raise _too_many_bytes(
                limit, max_body_bytes, "is longer" + (" after inflating" if form.gzip else "")
            )
    return body


def _pieces(stream: ByteStream, form: BodyForm, max_body_bytes: int) -> Iterator[bytes]:
    """Read what is sent, up to a byte over the limit."""
    wanted = max_body_bytes + 1 if form.content_length is None else form.content_length
    while wanted:
        try:
            piece = stream.read(min(wanted, _PIECE_BYTES))
        except Exception as error:
            if _is_too_slow(error):
                raise ApiError(
                    408, "The body came too slowly; nothing was accepted. Send it faster."
                ) from error
            # Servers raise whatever they like for a connection lost or chunks malformed; there is no common
            # base. Nothing of ours runs inside that call, so any fault in it is one of what was sent.
            raise ApiError(400, "The body could not be read to its end; send all of it.") from error
        if not piece:
            break
        wanted -= len(piece)
        yield piece
    if wanted and form.content_length is not None:
        raise ApiError(
            400,
            f"The body ends {wanted} bytes before the {form.content_length} of its Content-Length; "
            "send all of it.",
        )


def _is_too_slow(error: Exception) -> bool:
    # Where the length is known, the framework makes an error of its own of it.
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP)
    members = 1
    for piece in pieces:
        rest = piece
        while rest:
            if member.eof:
                member, members = zlib.decompressobj(_GZIP), members + 1
            try:
                # Little by little: a bomb is noticed before it has gone off.
                yield member.decompress(rest, _PIECE_BYTES)
            except zlib.error:
                raise ApiError(400, "The body is not the gzip that its Content-Encoding says.") from None
            rest = member.unused_data if member.eof else member.unconsumed_tail
            if members > _MOST_GZIP_MEMBERS:
                raise ApiError(400, f"The gzip has more than {_MOST_GZIP_MEMBERS} members; send it as one.")
    while not member.eof:
        inflated = member.decompress(b"", _PIECE_BYTES)
        if not inflated and not member.eof:
            raise ApiError(400, "The gzip ends too early; send all of it.")
        yield inflated


def _too_many_bytes(limit: str, most: int, how_many: str) -> ApiError:
    return ApiError(
        413,
        f"The body {how_many}, and {limit} is {most}; send it in several parts.",
    )
