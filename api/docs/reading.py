"""From the OpenAPI document to what the page shows: operations and schemas, with their tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from api.docs.shown import Content, Endpoint, Group, Reply, Row, Sample, Shape
from api.docs.words import in_words

_SHAPES: Final = ("properties", "allOf")

Document = Mapping[str, Any]


def groups(document: Document) -> list[Group]:
    """All operations, in their groups, in the document's order."""
    endpoints = [
        (operation["tags"][0], _endpoint(document, path, method, operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return [
        Group(
            name=tag["name"],
            description=tag["description"],
            endpoints=[endpoint for name, endpoint in endpoints if name == tag["name"]],
        )
        for tag in document["tags"]
    ]


def shapes(document: Document) -> list[Shape]:
    """All component schemas, by name."""
    schemas = document["components"]["schemas"]
    return [_shape(document, name, schemas[name]) for name in sorted(schemas)]


def _endpoint(document: Document, path: str, method: str, operation: Mapping[str, Any]) -> Endpoint:
    body = operation.get("requestBody", {})
    security = operation["security"]
    return Endpoint(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        needs_key=bool(security),
        scopes=sorted({scope for scheme in security for scopes in scheme.values() for scope in scopes}),
        parameters=[_parameter(_resolved(document, one)) for one in operation["parameters"]],
        body=body.get("description", ""),
        contents=list(_contents(body.get("content", {}))),
        replies=[
            _reply(document, status, _resolved(document, one))
            for status, one in operation["responses"].items()
        ],
    )


def _resolved(document: Document, one: Mapping[str, Any]) -> Mapping[str, Any]:
    """The component that a reference names; anything else as it is."""
    found: Any = document
    if "$ref" not in one:
        return one
    for step in one["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _parameter(parameter: Mapping[str, Any]) -> Row:
    return Row(
        name=parameter["name"],
        kind=in_words(parameter["schema"]),
        description=parameter.get("description", ""),
        required=parameter.get("required", False),
        place=parameter["in"],
    )


def _contents(content: Mapping[str, Any]) -> Iterator[Content]:
    for media_type, shown in content.items():
        named = shown.get("examples", {}).values()
        samples = [Sample(title=one["summary"], text=_pretty(one["value"])) for one in named]
        if "example" in shown:
            samples.append(Sample(title=media_type, text=str(shown["example"])))
        yield Content(media_type=media_type, kind=in_words(shown["schema"]), samples=samples)


def _reply(document: Document, status: str, response: Mapping[str, Any]) -> Reply:
    return Reply(
        status=status,
        phrase=HTTPStatus(int(status)).phrase,
        description=response["description"],
        headers=[
            _header(name, _resolved(document, header)) for name, header in response.get("headers", {}).items()
        ],
        contents=list(_contents(response.get("content", {}))),
    )


def _header(name: str, header: Mapping[str, Any]) -> Row:
    return Row(name=name, kind=in_words(header["schema"]), description=header["description"])


def _shape(document: Document, name: str, schema: Mapping[str, Any]) -> Shape:
    structured = any(word in schema for word in _SHAPES)
    values = [str(value) for value in schema.get("enum", ())]
    return Shape(
        name=name,
        description=schema.get("description", ""),
        kind=[] if structured else in_words(schema),
        rows=list(_rows(document, schema)),
        rules=[one["title"] for one in schema.get("anyOf", ()) if "title" in one],
        values=values,
    )


def _rows(document: Document, schema: Mapping[str, Any]) -> Iterator[Row]:
    for part in schema.get("allOf", ()):
        yield from _rows(document, _resolved(document, part))
    required = set(schema.get("required", ()))
    for name, member in schema.get("properties", {}).items():
        yield Row(
            name=name,
            kind=in_words(member),
            description=member.get("description", ""),
            required=name in required,
            choices=_choices(member),
        )


def _choices(member: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    named: Iterable[Mapping[str, Any]] = (one for one in member.get("oneOf", ()) if "const" in one)
    return tuple((str(one["const"]), one["description"]) for one in named)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
