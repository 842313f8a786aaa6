"""Schemathesis holds the API to its own description, with requests that keep to it and requests that do not.

The API is in this process, the servers behind are real, and a thread is the worker. What is checked: no
server error, no status, media type, header or body but those that are described. An order that is rejected
is a 200, so what comes of the orders themselves is the business of other tests.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import orjson
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

from api.openapi.operations import OPERATIONS
from api.routes import routes
from shared.clock import utc_now
from shared.domain.scopes import SCOPES
from shared.persistence.access.keys import create_api_key
from shared.schemas.order.reading import OrderReader
from shared.settings import Settings
from tests.support.orders import ADDRESS
from tests.support.placed_orders import Shop
from tests.support.settling import settle_slice

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The same examples every time: a run that fails can be run again.
BOUNDED = hypothesis.settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)

# Orders on lines: their form is tried out in JSON bodies, here it is the lines that count.
SHORT_ORDERS = st.dictionaries(st.text(max_size=5), st.just({"products": [{"qty": 1, "sku": "BRASS-LAMP"}]}))
LINES = st.lists(SHORT_ORDERS, max_size=3).map(lambda some: b"\n".join(map(orjson.dumps, some)).decode())

# In this process nothing takes off what was compressed.
UNCOMPRESSED = {"Accept-Encoding": "identity"}
schemathesis.serializer.alias("application/x-ndjson", "text/plain")
schemathesis.openapi.format("binary", LINES)


@pytest.fixture(scope="module")
def module_settings(module_settings: Settings) -> Settings:
    # Waiting is short: what is not settled by then is a 202, which is described as well.
    return replace(module_settings, sync_wait_seconds=1, max_wait_seconds=1, rate_limit_per_minute=0)


@pytest.fixture(scope="module")
def key(module_shop: Shop) -> str:
    return create_api_key(module_shop.api.engine, "Tester", sorted(SCOPES), None, None, utc_now())


@pytest.fixture(scope="module")
def existing(module_shop: Shop, key: str) -> dict[str, Any]:
    """What a path may name that exists: nobody would guess it."""
    lamp = {"address": ADDRESS, "createOnly": True, "products": [{"qty": 1, "sku": "BRASS-LAMP"}]}
    accepted = module_shop.api.post({"lamp": lamp}, Prefer="respond-async", API_Authorization=key)
    path = accepted.headers["Location"]
    outcome = module_shop.settled(path, key)["lamp"]
    return {"job_id": path.rpartition("/")[2], "number": outcome["order"]}


@pytest.fixture(scope="module")
def settling(module_shop: Shop, existing: dict[str, Any]) -> Iterator[None]:
    """A worker beside the tests; what goes wrong in it fails them. It begins with nothing to do."""
    assert existing
    over, faults = threading.Event(), []

    def work() -> None:
        while not over.wait(0.01):
            try:
                for slice_id, _, _ in module_shop.api.open_slices():
                    settle_slice(module_shop.context, slice_id)
            except Exception as error:  # noqa: BLE001 - told by the test, in its own thread
                faults.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()
    assert not faults


@pytest.fixture(scope="module")
def described(module_shop: Shop) -> schemathesis.BaseSchema:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", module_shop.api.apps[0])
    schema.config.generation.update(with_security_parameters=False)
    return schema


def _location(response: TestResponse) -> str:
    """The id of the job that an answer names."""
    return str(response.headers["Location"]).rpartition("/")[2]


def operation(described: schemathesis.BaseSchema, name: str) -> Any:
    method, _, rule = name.partition(" ")
    return described[re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)][method]


# Without a worker that takes messages /readyz is a 503, and rightly.
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "GET /readyz"])
@pytest.mark.usefixtures("settling")
def test_requests_as_described_are_answered_as_described(
    described: schemathesis.BaseSchema, module_shop: Shop, existing: dict[str, Any], key: str, name: str
) -> None:
    answered = set()

    @BOUNDED
    @hypothesis.given(operation(described, name).as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        case.path_parameters.update({part: existing[part] for part in case.path_parameters})
        if name == "DELETE /v1/jobs/<job_id>":
            # One of no orders is done as it is made.
            case.path_parameters["job_id"] = _location(module_shop.api.post({}, API_Authorization=key))
        # It would have to be compressed by hand; other tests do so.
        case.headers.pop("Content-Encoding", None)
        response = case.call_and_validate(headers={"API-Authorization": key, **UNCOMPRESSED}, checks=CHECKS)
        answered.add(response.status_code)

    ask()
    # A job of which no order was rejected has nothing to retry.
    assert answered & ({409} if name.endswith("/retry") else {200, 202, 204})


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "GET /readyz"])
@pytest.mark.usefixtures("settling")
def test_any_other_request_is_answered_as_described_too(
    described: schemathesis.BaseSchema, key: str, name: str
) -> None:
    @BOUNDED
    @hypothesis.given(operation(described, name).as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers={"API-Authorization": key, **UNCOMPRESSED}, checks=CHECKS)

    ask()


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.body is not None])
@pytest.mark.usefixtures("settling")
def test_the_examples_of_requests_are_taken(
    described: schemathesis.BaseSchema, existing: dict[str, Any], key: str, name: str
) -> None:
    body = OPERATIONS[name].body
    assert body is not None
    for example in body.examples.values():
        parts = {part: existing[part] for part in re.findall(r":(\w+)>", name)}
        case = operation(described, name).Case(
            path_parameters=parts, body=example.value, media_type="application/json"
        )
        response = case.call(headers={"API-Authorization": key})
        case.validate_response(response, checks=CHECKS)
        assert response.status_code in {200, 202}


def test_somebody_without_a_key_is_refused_as_described(
    described: schemathesis.BaseSchema, module_shop: Shop
) -> None:
    reader = module_shop.api.new_key("Nobody")
    for route in routes():
        if not route.permission.needs_key:
            continue
        name = f"{route.method} {route.rule}"
        parts = dict.fromkeys(re.findall(r"<(?:\w+:)?(\w+)>", route.rule), "1")
        case = operation(described, name).Case(path_parameters=parts)
        unknown = case.call()
        lacking = case.call(headers={"API-Authorization": reader})

        case.validate_response(unknown, checks=CHECKS)
        case.validate_response(lacking, checks=CHECKS)
        assert unknown.status_code == 401
        assert (lacking.status_code == 403) == (route.permission.scope is not None)


def test_a_database_that_is_away_is_answered_as_described(module_shop: Shop, key: str) -> None:
    away = module_shop.api.with_settings(database_url="postgresql://nobody@127.0.0.1:9/nothing")
    described = schemathesis.openapi.from_wsgi("/openapi.json", away.apps[-1])
    without_server_errors = [check for check in CHECKS if check is not not_a_server_error]
    for name in ("POST /v1/orders", "GET /v1/limits", "GET /readyz"):
        case = operation(described, name).Case()
        response = case.call(headers={"API-Authorization": key})

        case.validate_response(response, checks=without_server_errors)
        assert response.status_code == 503


def test_an_answer_that_is_not_as_described_would_be_noticed(module_shop: Shop, key: str) -> None:
    document = module_shop.api.get("/openapi.json").get_json()
    limits = document["components"]["schemas"]["Limits"]
    limits["properties"]["maxOrders"]["type"] = "string"
    del document["paths"]["/v1/orders"]["post"]["responses"]["415"]
    wrong = schemathesis.openapi.from_dict(document)
    wrong.app = module_shop.api.apps[0]

    for name in ("GET /v1/limits", "POST /v1/orders"):
        case = operation(wrong, name).Case()
        with pytest.raises(FailureGroup):
            case.call_and_validate(headers={"API-Authorization": key, **UNCOMPRESSED}, checks=CHECKS)


def test_an_order_as_described_has_no_fault_of_form(described: schemathesis.BaseSchema) -> None:
    reader = OrderReader(zone=ZoneInfo("UTC"), max_lines=1_000, strict=False)

    @BOUNDED
    @hypothesis.given(operation(described, "POST /v1/order").as_strategy())
    def read(case: schemathesis.Case[Any]) -> None:
        faults = reader.read(json.dumps(case.body).encode()).faults
        # JSON Schema has no words for a domain that takes no mail, or for 30 February.
        assert not [fault for fault in faults if not re.search(r"/email$|Date$", fault.pointer)]

    read()
