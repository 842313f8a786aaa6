"""The OpenAPI document and its page: complete, valid, and saying what the API does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import openapi_spec_validator
import pytest
from flask import Flask
from marshmallow import Schema, fields

from api.app import close_app, create_app
from api.docs.page import ASSETS
from api.openapi.document import make_document
from api.openapi.operations import OPERATIONS, TAGS
from api.route import Route
from api.routes import routes
from api.service.limits import limits_of
from shared.domain.outcome import Creatable, Created, Fault, Outcome, Prepared, reject
from shared.domain.reasons import REASONS
from shared.schemas.order.declaration import OrderSchema
from shared.schemas.outcome import outcome_json
from shared.settings import Settings

SAMPLE = Path(__file__).parents[2] / "cli" / "samples" / "orders.json"
# Nothing here needs the servers behind: they are away.
SETTINGS = Settings(database_url="postgresql://nobody@127.0.0.1:9/none", redis_url="redis://127.0.0.1:9/0")


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    made = create_app(SETTINGS)
    yield made
    close_app(made)


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    response = app.test_client().get("/openapi.json")
    assert response.status_code == 200
    read: dict[str, Any] = response.get_json()
    return read


def validator(document: dict[str, Any], name: str) -> jsonschema_rs.Validator:
    components = {"components": document["components"]}
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/components/schemas/{name}", **components})


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def templated(rule: str) -> str:
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)


def resolved(document: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    found: Any = document
    for step in one.get("$ref", "").split("/")[1:]:
        found = found[step]
    return found if "$ref" in one else one


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    openapi_spec_validator.validate(document)


def test_every_route_is_described_and_nothing_else(document: dict[str, Any], app: Flask) -> None:
    served = {
        f"{method} {templated(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {name for name, _ in operations(document)} == served
    assert OPERATIONS.keys() == {f"{route.method} {route.rule}" for route in routes()}
    assert {operation.tag for operation in OPERATIONS.values()} == TAGS.keys()


def test_a_route_that_nobody_described_is_told_by_its_name() -> None:
    route = routes()[0]
    unknown = Route("PUT", "/v1/nothing", route.permission, route.view)

    with pytest.raises(KeyError, match="PUT /v1/nothing"):
        make_document([unknown], SETTINGS)


def test_what_a_route_asks_of_its_caller_is_described(document: dict[str, Any]) -> None:
    described = dict(operations(document))
    for route in routes():
        operation = described[f"{route.method} {templated(route.rule)}"]
        statuses = operation["responses"].keys()

        assert ("401" in statuses) == route.permission.needs_key
        assert ("403" in statuses) == (route.permission.scope is not None)
        assert statuses >= ({"400", "413", "415"} if "requestBody" in operation else set())
        # An unknown parameter is refused by every path of the API, those that take none included.
        assert ("400" in statuses) == route.rule.startswith("/v1/")
        scopes = [route.permission.scope] if route.permission.scope else []
        expected = [{"ApiKey": scopes}, {"Bearer": scopes}] if route.permission.needs_key else []
        assert operation["security"] == expected


def test_every_error_carries_the_envelope_and_every_response_the_request_id(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            answer = resolved(document, response)
            assert "X-Request-ID" in answer["headers"], name
            if status >= "400" and name != "GET /readyz":
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Refusal"}, name


def test_every_parameter_of_an_order_has_the_description_of_its_field(document: dict[str, Any]) -> None:
    shown = document["components"]["schemas"]["Order"]["properties"]
    declared = OrderSchema._declared_fields  # noqa: SLF001 - the declaration itself, whatever was made of it

    assert shown.keys() == declared.keys()
    for name, field in declared.items():
        assert shown[name]["description"] == field.metadata["description"]


def test_every_member_is_described(document: dict[str, Any]) -> None:
    silent = [
        f"{name}.{member}"
        for name, schema in document["components"]["schemas"].items()
        for member, shown in schema.get("properties", {}).items()
        if not (shown.get("description") or "$ref" in shown or "const" in shown)
    ]

    assert not silent


def test_every_example_is_one_of_what_it_is_an_example_of(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(document):
        bodies = [resolved(document, one) for one in operation["responses"].values()]
        for body in [*bodies, operation.get("requestBody", {})]:
            for content in body.get("content", {}).values():
                schema = {**content["schema"], "components": document["components"]}
                valid = jsonschema_rs.Draft202012Validator(schema)
                for example in content.get("examples", {}).values():
                    assert not list(valid.iter_errors(example["value"])), name
                    checked += 1

    assert checked > 30


def test_the_first_example_is_the_seed_document_s(document: dict[str, Any]) -> None:
    content = document["paths"]["/v1/orders"]["post"]["requestBody"]["content"]

    shown = content["application/json"]["examples"]["batch"]["value"]["x123"]

    assert shown == json.loads(SAMPLE.read_bytes())["x123"]


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Created((1234, 1235)), "Created"),
        (Prepared(1234), "Prepared"),
        (Creatable(("/poNummer",)), "Creatable"),
        *((reject([Fault(reason, "/products/0", "because")]), "Rejected") for reason in REASONS),
    ],
)
def test_an_outcome_as_it_is_written_is_one_as_it_is_described(
    document: dict[str, Any], outcome: Outcome, kind: str
) -> None:
    written = outcome_json(outcome)

    assert validator(document, "Outcome").is_valid(written)
    assert validator(document, kind).is_valid(written)
    assert document["components"]["schemas"][kind]["properties"].keys() >= written.keys()


def test_the_limits_are_described_by_what_their_settings_mean(document: dict[str, Any]) -> None:
    shown = document["components"]["schemas"]["Limits"]

    assert shown["properties"].keys() == limits_of(SETTINGS).keys()
    assert shown["properties"]["maxOrders"] == {
        "type": "number",
        "description": "orders in one batch",
        "examples": [100_000],
    }


def test_the_document_says_the_limits_that_are_set() -> None:
    small = make_document(routes(), Settings(max_lines=7, max_orders=9, stock_max_rows=11))
    schemas = small["components"]["schemas"]

    assert schemas["Order"]["properties"]["products"]["maxItems"] == 7
    assert schemas["Batch"]["maxProperties"] == 9
    assert schemas["Counts"]["properties"]["products"]["maxItems"] == 11


PUBLISHED = ["/openapi.json", "/docs", *(f"/docs/{name}" for name in ASSETS)]


@pytest.mark.parametrize("path", PUBLISHED)
def test_the_description_is_open_to_all_and_may_be_kept(app: Flask, path: str) -> None:
    response = app.test_client().get(path)
    again = app.test_client().get(path, headers={"If-None-Match": response.headers["ETag"]})

    assert response.status_code == 200
    assert "max-age" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == response.headers["ETag"]


def test_the_document_is_made_once(app: Flask) -> None:
    first, second = (app.test_client().get("/openapi.json") for _ in range(2))

    assert first.data == second.data


class _Page(HTMLParser):
    """What the page refers to, and what it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in {"href", "src"}:
                self.links.add(value or "")
            elif name == "style" or name.startswith("on"):
                self.inline.append(name)


@pytest.fixture(scope="module")
def page(app: Flask) -> _Page:
    read = _Page()
    read.feed(app.test_client().get("/docs").text)
    return read


def test_the_page_needs_nothing_that_its_policy_refuses(app: Flask, page: _Page) -> None:
    response = app.test_client().get("/docs")

    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert not page.tags & {"script", "style", "iframe", "object", "form"}
    assert not page.inline


def test_everything_that_the_page_refers_to_is_there(app: Flask, page: _Page) -> None:
    within = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    others = {link for link in page.links if not link.startswith("#")}

    assert within <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert others == {"openapi.json", *(f"docs/{name}" for name in ASSETS)}
    for link in others:
        assert app.test_client().get(f"/{link}").status_code == 200


def test_the_page_has_every_operation_schema_and_description(
    app: Flask, page: _Page, document: dict[str, Any]
) -> None:
    text = app.test_client().get("/docs").text

    assert {operation["operationId"] for _, operation in operations(document)} <= set(page.ids)
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= set(page.ids)
    assert "Shipping option by URI; else the default one of the country." in text
    assert "1500 California St" in text


def test_the_page_escapes_what_it_shows(app: Flask) -> None:
    text = app.test_client().get("/docs").text

    assert "<code>API-Authorization: &lt;key&gt;</code>" in text
    assert "<key>" not in text


def test_schemas_of_others_in_the_process_do_not_get_into_the_document(document: dict[str, Any]) -> None:
    class Order(Schema):
        strange = fields.String()

    other = create_app(SETTINGS)
    try:
        described = other.test_client().get("/openapi.json")
    finally:
        close_app(other)

    assert described.get_json() == document
    assert Order().fields.keys() == {"strange"}
