"""What stands on every answer, whatever its status: gunicorn's own errors are in tests/e2e."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.app import close_app, create_app
from api.routes import routes
from shared.settings import Settings
from tests.support.api import ApiClient

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

NOT_NAMED = {"Server", "X-Powered-By", "Via", "Set-Cookie", "Permission-Control-Allow-Origin"}


def sound(answer: TestResponse) -> None:
    """Hold what is true of every answer."""
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert len(answer.headers.getlist("X-Request-ID")) == 1
    assert len(answer.headers.getlist("Cache-Control")) == 1
    assert not NOT_NAMED & set(answer.headers.keys())


def request(api: ApiClient, method: str, path: str, **headers: str) -> TestResponse:
    body = headers.pop("body", None)
    return api.client.open(
        path,
        method=method,
        data=body,
        headers={"API-Authorization": api.key, "Content-Type": "application/json", **headers},
    )


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (200, "POST", "/v1/orders", {"body": "{}"}),
        (202, "POST", "/v1/orders", {"body": '{"a":{}}', "Prefer": "respond-async"}),
        (400, "POST", "/v1/orders", {"body": "no"}),
        (401, "GET", "/v1/limits", {"API-Authorization": "nobody"}),
        (403, "GET", "/v1/stock", {}),
        (404, "GET", "/nothing", {}),
        (404, "GET", "/v1/jobs/none", {}),
        (404, "GET", "/v1/limits/", {}),
        (404, "GET", "//v1/limits", {}),
        (404, "POST", "/v1/order/99999999999999999999x", {"body": "{}"}),
        (405, "DELETE", "/v1/orders", {}),
        (413, "POST", "/v1/orders", {"body": '{"%s":1}' % ("k" * 2000)}),
        (415, "POST", "/v1/orders", {"body": "{}", "Content-Type": "text/plain"}),
        (503, "GET", "/readyz", {}),
    ],
)
def test_answers_are_json_that_nobody_sniffs(
    module_api: ApiClient, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = request(module_api, method, path, **headers)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert isinstance(answer.get_json(), dict)
    sound(answer)


@pytest.mark.parametrize(
    "path", sorted({r.rule for r in routes() if r.method == "GET" and "<" not in r.rule})
)
def test_only_pages_are_not_json(module_api: ApiClient, path: str) -> None:
    answer = request(module_api, "GET", path)

    if path.startswith("/docs"):
        assert answer.headers["Content-Type"].split(";")[0] not in {"application/json", "text/plain"}
    else:
        assert answer.headers["Content-Type"] == "application/json"
    sound(answer)


def test_what_has_no_body_has_no_type(module_api: ApiClient) -> None:
    options = request(module_api, "OPTIONS", "/v1/orders")
    etag = request(module_api, "GET", "/openapi.json").headers["ETag"]
    same = request(module_api, "GET", "/openapi.json", **{"If-None-Match": etag})

    assert (options.status_code, same.status_code) == (204, 304)
    for answer in (options, same):
        assert answer.data == b""
        assert "Content-Type" not in answer.headers
        sound(answer)


def test_a_fault_of_ours_is_json_that_tells_nothing(module_settings: Settings) -> None:
    app = create_app(module_settings)
    # It has no access in the table.
    app.add_url_rule("/boom", "GET /boom", lambda: "never shown")
    answer = app.test_client().get("/boom?x=<script>")
    close_app(app)

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/json"
    assert b"Traceback" not in answer.data
    assert b"script" not in answer.data
    assert b"never shown" not in answer.data
    sound(answer)


def test_the_page_lets_nothing_else_in(module_api: ApiClient) -> None:
    policy = request(module_api, "GET", "/docs").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
