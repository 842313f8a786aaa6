"""The document, made by walking the table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from api.openapi.common_responses import COMMON_RESPONSES
from api.openapi.examples import LINES_SENT
from api.openapi.headers import HEADER_NAMES, HEADERS, shared_parameters
from api.openapi.operation import Body, Example, Operation, ResponseDoc
from api.openapi.operations import OPERATIONS, TAGS
from api.openapi.service import service_schemas
from api.web.media_type import JSON, LINES
from shared.schemas.openapi.components import add_components, new_document

if TYPE_CHECKING:
    from apispec import APISpec

    from api.route import Route
    from shared.settings import Settings

_ABOUT: Final = """\
Takes a keyed batch of orders, makes a durable promise of it, and gives back an outcome under each key.

A request as a whole is refused with a 4xx or 5xx status and the envelope
`{"status": "no", "code": -7, "msg": "…"}`; then nothing was accepted. A single order is rejected inside a
200, with the same members. A path that is not here is 404, a method that its path does not take is 405 with
`Allow`, and a fault of ours is 500, all in that envelope.

Bodies are JSON in UTF-8. Members may be added to answers: ignore those that you do not know.
"""
_PLACEHOLDER: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_SCHEMES: Final = {
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "API-Authorization",
        "description": "The key itself: `API-Authorization: <key>`.",
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <key>`."},
}


def make_document(routes: Iterable[Route], settings: Settings) -> dict[str, Any]:
    """Describe these routes as they are with these settings: an OpenAPI 3.1 document, as plain values.

    Raises KeyError for a route that no operation describes.
    """
    spec = new_document(
        {"title": "ordermill", "version": version("ordermill"), "description": _ABOUT},
        servers=[{"url": "/", "description": "where this was read"}],
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    add_components(spec, settings)
    for name, schema in service_schemas(settings).items():
        spec.components.schema(name, schema)
    for name, scheme in _SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name, parameter in shared_parameters(settings).items():
        spec.components.parameter(name, parameter["in"], parameter)
    for common in COMMON_RESPONSES:
        spec.components.response(common.name, _response(common.response))
    for route in routes:
        _add_route(spec, route, settings)
    document = spec.to_dict()
    _plain_queries(document)
    return document


def _plain_queries(document: dict[str, Any]) -> None:
    """A query is text in any case, so there a number as text is nothing of its own."""
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation["parameters"]:
                if parameter.get("in") == "query" and "anyOf" in parameter["schema"]:
                    number, *_ = parameter["schema"].pop("anyOf")
                    parameter["schema"] |= number


def _add_route(spec: APISpec, route: Route, settings: Settings) -> None:
    operation = OPERATIONS[f"{route.method} {route.rule}"]
    shown: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation, settings),
        "responses": _responses(route, operation),
        # With OpenAPI 3.1, what a key must be allowed may stand here for any kind of scheme.
        "security": [{name: [route.permission.scope] if route.permission.scope else []} for name in _SCHEMES]
        if route.permission.needs_key
        else [],
    }
    if operation.body is not None:
        shown["requestBody"] = _request_body(operation.body)
    spec.path(path=_PLACEHOLDER.sub(r"{\1}", route.rule), operations={route.method.lower(): shown})


def _parameters(operation: Operation, settings: Settings) -> list[Any]:
    named: list[Any] = [*operation.parameters, "RequestId"]
    if operation.query is None:
        return named
    return [{"in": "query", "schema": operation.query(settings)}, *named]


def _responses(route: Route, operation: Operation) -> dict[str, Any]:
    responses: dict[int, Any] = {status: _response(doc) for status, doc in operation.responses.items()}
    for common in COMMON_RESPONSES:
        if common.applies(route, operation):
            responses.setdefault(common.status, common.name)
    return {str(status): responses[status] for status in sorted(responses)}


def _response(doc: ResponseDoc) -> dict[str, Any]:
    headers = {HEADER_NAMES.get(name, name): name for name in ("RequestId", *doc.headers)}
    shown: dict[str, Any] = {"description": doc.says, "headers": headers}
    if doc.schema is not None:
        shown["content"] = {doc.media_type: _content(doc.schema, doc.examples)}
        for media_type, looks in doc.also_as.items():
            shown["content"][media_type] = {"schema": {"type": "string", "description": looks}}
    return shown


def _request_body(body: Body) -> dict[str, Any]:
    content = {JSON: _content(body.schema, body.examples)}
    if body.by_line:
        content[LINES] = {
            "schema": {
                "type": "string",
                # What generators of clients send as it is.
                "format": "binary",
                "description": f"Lines of JSON, each a {body.schema} of its own.",
            },
            "example": LINES_SENT,
        }
    return {"required": True, "description": body.says, "content": content}


def _content(schema: Any, examples: Any) -> dict[str, Any]:
    # A bare name could also be that of any other schema in this process.
    named = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    shown: dict[str, Any] = {"schema": named}
    if examples:
        shown["examples"] = {name: _example(example) for name, example in examples.items()}
    return shown


def _example(example: Example) -> dict[str, Any]:
    return {"summary": example.says, "value": example.value}
