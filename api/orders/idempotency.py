"""Idempotency-Key (the IETF draft): the same key and request again is the same job, not a second one."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import orjson

from api.web.errors import ApiError
from shared.domain.batch_options import AS_USUAL, BatchOptions
from shared.domain.kinds import JobForm
from shared.domain.outcome import quoted

MOST_CHARS: Final = 255

# A string of structured fields (RFC 8941): printable ASCII, with quote and backslash escaped.
_QUOTED: Final = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE: Final = re.compile(r"[\x21\x23-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def read_idempotency_key(header: str | None) -> str | None:
    """The key, quoted or bare; None where the header was not sent. Raises ApiError (400)."""
    if header is None:
        return None
    string = _QUOTED.fullmatch(header.strip())
    key = re.sub(r"\\(.)", r"\1", string[1]) if string else header.strip()
    if not key or len(key) > MOST_CHARS or not (string or _BARE.fullmatch(key)):
        raise ApiError(
            400,
            f"The Idempotency-Key is {quoted(key)}; send 1 to {MOST_CHARS} printable ASCII characters, "
            "best a new UUID for each batch.",
        )
    return key


def request_hash(
    form: JobForm, key_in_path: str, body: bytes | bytearray, options: BatchOptions = AS_USUAL
) -> bytes:
    """What makes two requests the same: what is asked for and how, and the body's bytes (after inflating)."""
    told = options.told
    # As it was written before there were others: a key outlives an upgrade.
    words = [form.value, key_in_path, *(["ordered"] if told.pop("ordered", False) else [])]
    if told:
        words.append(orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode())
    digest = hashlib.sha256(f"{' '.join(words)}\n".encode())
    digest.update(body)
    return digest.digest()
