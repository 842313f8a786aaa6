"""Every error of a whole request (contract §1 and 2): its status, its envelope, and nothing stored."""

from __future__ import annotations

import gzip
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key, revoke_api_key
from tests.support.api import ApiClient

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


JSON = "application/json"


@pytest.fixture(scope="module")
def narrow(module_api: ApiClient) -> ApiClient:
    return module_api.with_settings(max_body_bytes=2_000, max_orders=5, max_key_chars=1_000, max_nesting=8)


def assert_refused(response: TestResponse, status: int, *says: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.content_type == JSON
    assert response.json is not None
    assert response.json["status"] == "no"
    assert response.json["code"] == -7
    for part in says:
        assert part in response.json["msg"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Request-ID"]
    body: dict[str, Any] = response.json
    return body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b"{", "ends too early"),
        (b"hello", "is not JSON"),
        (b'{"a":1', "ends too early"),
        (b'{"a":\xff}', "not UTF-8"),
        ('{"a":"é"}'.encode("latin-1"), "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'\xef\xbb\xbf{"a":{}}', "byte order mark"),
        (b'{"a":{"comment":"\\ud800"}}', "lone surrogate"),
        (b'{"\\udfff":{}}', "lone surrogate"),
        (b'{"a":{"qty":NaN}}', "NaN and Infinity"),
        (b'{"a":{"qty":-Infinity}}', "NaN and Infinity"),
        (b"[]", "one JSON object"),
        (b"[{}]", "one JSON object"),
        (b'"x"', "one JSON object"),
        (b"7", "one JSON object"),
        (b"null", "one JSON object"),
        (b'{"a":{}} {}', "trailing characters"),
        (b'{"a":' + b"[" * 9 + b"]" * 9 + b"}", "nested deeper than 8 levels"),
        (b'{"a":' + b"[" * 1_900, "The order 'a' is nested too deep to be read"),
        (b'{"x1":{},"x2":{},"x1":{}}', "The key 'x1' stands more than once"),
        (b'{"":{},"":{}}', "The key '' stands more than once"),
    ],
)
def test_a_body_that_is_no_batch_is_400(narrow: ApiClient, body: bytes, says: str) -> None:
    before = narrow.job_count()

    assert_refused(narrow.post(body), 400, says)

    assert narrow.job_count() == before


def test_a_key_sent_twice_is_pointed_at(module_api: ApiClient) -> None:
    body = assert_refused(module_api.post(b'{"a/b":{},"a/b":{}}'), 400)

    assert body["errors"] == [
        {"pointer": "/a~1b", "reason": "sent_twice", "msg": "stands more than once", "params": {}}
    ]


def test_a_body_over_the_limit_is_413_whatever_way_it_comes(narrow: ApiClient) -> None:
    long = b'{"a":"' + b"x" * 2_000 + b'"}'

    assert_refused(narrow.post(long), 413, "has 2008 bytes", "maxBodyBytes is 2000")
    assert_refused(post_chunked(narrow, long), 413, "maxBodyBytes is 2000")
    assert_refused(narrow.post(gzip.compress(long), Content_Encoding="gzip"), 413, "after inflating", "2000")


def test_too_many_orders_are_413(narrow: ApiClient) -> None:
    assert_refused(narrow.post(dict.fromkeys("abcdef", 1)), 413, "5 orders", "maxOrders", "several batches")


def test_an_order_too_large_is_413(module_api: ApiClient) -> None:
    narrow = module_api.with_settings(max_order_bytes=1_024)
    batch = {"a": {}, "b": {"comment": "x" * 1_024}}

    assert_refused(narrow.post(batch), 413, "The order 'b' has 1038 bytes", "maxOrderBytes is 1024")


def test_a_key_too_long_is_413(narrow: ApiClient) -> None:
    assert_refused(narrow.post({"k" * 1_001: {}}), 413, "1001 characters", "maxKeyChars is 1000", "shorten")


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        # Not looked at for what it says: nobody's has so many characters.
        "application/json; " + "a=b; " * 60,
    ],
)
def test_another_content_type_is_415(module_api: ApiClient, content_type: str) -> None:
    response = module_api.post({"a": {}}, Content_Type=content_type)

    assert_refused(response, 415, "application/json or application/x-ndjson")
    assert response.headers["Accept-Post"] == "application/json, application/x-ndjson"


def test_another_charset_is_415(module_api: ApiClient) -> None:
    assert_refused(module_api.post({"a": {}}, Content_Type="application/json; charset=latin-1"), 415, "utf-8")


def test_another_encoding_is_415_with_the_one_that_is_taken(module_api: ApiClient) -> None:
    response = module_api.post(b"x", Content_Encoding="br")

    assert_refused(response, 415, "gzip")
    assert response.headers["Accept-Encoding"] == "gzip"


def test_broken_gzip_is_400(module_api: ApiClient) -> None:
    assert_refused(module_api.post(b"{}", Content_Encoding="gzip"), 400, "not the gzip")
    cut = gzip.compress(b'{"a":{}}')[:-6]
    assert_refused(module_api.post(cut, Content_Encoding="gzip"), 400, "gzip ends too early")


def test_a_body_cut_short_is_400(module_api: ApiClient) -> None:
    response = module_api.client.post(
        "/v1/orders",
        input_stream=io.BytesIO(b'{"a":{}}'),
        headers={"API-Authorization": module_api.key, "Content-Type": JSON},
        environ_overrides={"CONTENT_LENGTH": "10"},
    )

    assert_refused(response, 400, "send all of it")


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b'{"a":{}}\n{"b":}', 400, "on line 2"),
        (b'{"a":{}}\n[1]', 400, "Line 2"),
        (b'{"a":{}}\n{"a":{}}', 400, "on line 1 and again on line 2"),
        (b'{"a":1}\n' * 6, 413, "maxOrders"),
        (b"\n\n", 400, "Every line is blank"),
        (b"", 400, "is empty"),
    ],
)
def test_lines_that_are_no_batch_are_refused(narrow: ApiClient, body: bytes, status: int, says: str) -> None:
    assert_refused(narrow.post(body, Content_Type="application/x-ndjson"), status, says)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"API-Authorization": ""},
        {"API-Authorization": "om_aaaaaaaa_" + "0" * 43},
        {"API-Authorization": "Ünsinn"},
        {"API-Authorization": "x" * 5_000},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer nonsense"},
    ],
)
def test_a_missing_or_unknown_key_is_401(module_api: ApiClient, headers: dict[str, str]) -> None:
    for path in ("/v1/limits", "/v1/jobs/x", "/v1/jobs/x/results"):
        response = module_api.client.get(path, headers=headers)
        assert_refused(response, 401, "API key")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert_refused(module_api.client.post("/v1/orders", data=b"{", headers=headers), 401)


def test_a_revoked_and_an_expired_key_are_401(module_api: ApiClient) -> None:
    revoked = module_api.new_key("Revoked", "orders:write")
    assert revoke_api_key(module_api.engine, "Revoked", utc_now())
    past = utc_now() - timedelta(seconds=1)
    expired = create_api_key(module_api.engine, "Expired", ["orders:write"], None, past, past)

    for key in (revoked, expired):
        assert_refused(module_api.get("/v1/limits", key), 401, "revoked or has expired")


def test_a_key_without_the_scope_is_403_and_is_told_which(module_api: ApiClient) -> None:
    reader = module_api.new_key("Reader", "orders:read")

    assert_refused(module_api.post({}, API_Authorization=reader), 403, "lacks the scope orders:write")


def test_a_key_is_refused_before_the_body_is_read(module_api: ApiClient) -> None:
    class Unread(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise AssertionError("the body was read")

    for length in ("", "10", str(10**12)):
        response = module_api.client.post(
            "/v1/orders", input_stream=Unread(), environ_overrides={"CONTENT_LENGTH": length}
        )
        assert_refused(response, 401)


def test_both_headers_carry_a_key(module_api: ApiClient) -> None:
    for headers in (
        {"API-Authorization": module_api.key},
        {"Authorization": f"Bearer {module_api.key}"},
        {"authorization": f"bearer  {module_api.key} "},
        {"API-Authorization": module_api.key, "Authorization": "Basic dXNlcjpwYXNz"},
    ):
        assert module_api.client.get("/v1/limits", headers=headers).status_code == 200


def test_the_database_away_is_503_with_when_to_try_again(module_api: ApiClient) -> None:
    away = module_api.with_settings(database_url="postgresql://nobody@127.0.0.1:9/nothing")

    response = away.post({"a": {}})

    assert_refused(response, 503, "database is away", "nothing was accepted")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/orders/", "//v1/orders", "/v1/jobs/", "/nothing"])
def test_a_path_with_nothing_there_is_404(module_api: ApiClient, path: str) -> None:
    assert_refused(module_api.client.get(path), 404, "nothing at this path")
    assert_refused(module_api.client.post(path, data=b"{}"), 404)


def test_a_wrong_method_is_405_with_the_right_ones(module_api: ApiClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        response = module_api.client.open("/v1/limits", method=method)
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert_refused(response, 405, "GET, HEAD, OPTIONS")
    assert module_api.client.get("/v1/order").headers["Allow"] == "OPTIONS, POST"


def test_options_tell_the_methods_without_a_key_or_a_body(module_api: ApiClient) -> None:
    response = module_api.client.options("/v1/limits")

    assert response.status_code == 204
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "Content-Type" not in response.headers
    assert response.data == b""


def test_head_is_get_without_a_body(module_api: ApiClient) -> None:
    response = module_api.client.head("/v1/limits", headers={"API-Authorization": module_api.key})

    assert response.status_code == 200
    assert response.data == b""
    assert int(response.headers["Content-Length"]) > 0
    assert module_api.client.head("/v1/limits").status_code == 401


@pytest.mark.parametrize("request_id", ["r-1", "0198-abc", "trace/1:2=3@x", "x" * 128])
def test_a_safe_request_id_is_echoed(module_api: ApiClient, request_id: str) -> None:
    response = module_api.client.get("/healthz", headers={"X-Request-ID": request_id})

    assert response.headers["X-Request-ID"] == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "é", '{"a":1}', "a,b", "<x>"])
def test_any_other_request_id_is_replaced(module_api: ApiClient, request_id: str) -> None:
    response = module_api.client.get("/healthz", headers={"X-Request-ID": request_id})

    assert response.headers["X-Request-ID"] != request_id
    assert len(response.headers["X-Request-ID"]) == 36


def post_chunked(api: ApiClient, body: bytes) -> TestResponse:
    """Post as gunicorn hands over chunked transfer: no length, and a stream that ends by itself."""
    return api.client.post(
        "/v1/orders",
        input_stream=io.BytesIO(body),
        headers={"API-Authorization": api.key, "Content-Type": JSON, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


def test_chunked_transfer_is_read_to_its_end(module_api: ApiClient) -> None:
    assert post_chunked(module_api, b"{}").status_code == 200
    assert_refused(post_chunked(module_api, b'{"a":'), 400, "ends too early")
