"""Responses to what no thread has read: the envelope of every error, and when to come again."""

from __future__ import annotations

import json

import pytest

from api.server.error_responses import error_bytes


@pytest.mark.parametrize(
    ("status", "msg", "retry_after"),
    [
        (429, "The request was not read: too many wait.", "1"),
        (408, "The request cannot be read: too many wait.", None),
    ],
)
def test_a_request_that_comes_too_early_is_told_when_to_come_again(
    status: int, msg: str, retry_after: str | None
) -> None:
    head, _, body = error_bytes(status, "Reason", "too many wait").decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)

    assert first == f"HTTP/1.1 {status} Reason"
    assert json.loads(body) == {"status": "no", "code": -7, "msg": msg}
    assert headers.get("Retry-After") == retry_after
    assert headers["Content-Length"] == str(len(body))
