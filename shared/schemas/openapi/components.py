"""What requests and answers are made of, by the names that the document gives them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema

from shared.domain.order import STATES_NEEDED
from shared.schemas.countries import COUNTRIES, CURRENCIES
from shared.schemas.job import JobSchema
from shared.schemas.lists.changes import ChangeListSchema
from shared.schemas.lists.jobs import JobListSchema
from shared.schemas.lists.orders import OrderListSchema
from shared.schemas.lists.stock import StockListSchema
from shared.schemas.openapi.answers import ANSWERS
from shared.schemas.openapi.fields import COUNTRY, CURRENCY, JsonSchema, describe_field
from shared.schemas.openapi.retry import RETRY
from shared.schemas.order.completion import completion_schema
from shared.schemas.order.declaration import OrderSchema
from shared.schemas.order.step import cancellation_schema, shipment_schema
from shared.schemas.stock_count import CountsSchema, StockSetSchema

if TYPE_CHECKING:
    from shared.settings import Settings

_NAMED_ITEM = {"type": ["string", "integer"], "minLength": 1}
_NONE = {"type": "null"}
_WITH_EMAIL = {
    "type": "object",
    "required": ["email"],
    "properties": {"email": {"type": "string", "pattern": "@"}},
}


class _Converter(OpenAPIConverter):
    """Schemas say what they are in their docstrings, and may grow: none is closed to other members."""

    def schema2jsonschema(self, schema: Schema) -> JsonSchema:
        made: JsonSchema = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]  # apispec's function has no types
        made.pop("additionalProperties", None)
        paragraph = (inspect.getdoc(type(schema)) or "").partition("\n\n")[0]
        return {"description": " ".join(paragraph.split()).replace("``", "`"), **made}


class _Plugin(MarshmallowPlugin):
    Converter = _Converter


def new_document(info: dict[str, Any], **options: Any) -> APISpec:
    """A document of OpenAPI 3.1 without paths; ``info`` has its title, version and description."""
    plugin = _Plugin(schema_name_resolver=_component_name)
    spec = APISpec(
        title=info["title"],
        version=info["version"],
        openapi_version="3.1.1",
        plugins=[plugin],
        info=info,
        **options,
    )
    if plugin.converter is None:
        raise RuntimeError("apispec has made no converter for its plugin")
    plugin.converter.add_attribute_function(describe_field)  # type: ignore[no-untyped-call]  # apispec's function has no types
    return spec


def add_components(spec: APISpec, settings: Settings) -> None:
    """Add the schemas that requests and answers refer to."""
    add = spec.components.schema
    add(COUNTRY, {"type": "string", "enum": sorted(COUNTRIES), "description": "ISO 3166 alpha-2 code."})
    add(CURRENCY, {"type": "string", "enum": sorted(CURRENCIES), "description": "ISO 4217 code."})
    zone, most = ZoneInfo(settings.organisation_timezone), settings.max_lines
    add("Order", schema=OrderSchema(zone=zone, max_lines=most))
    add("Completion", schema=completion_schema(zone=zone, named=False))
    add("OrderCompletion", schema=completion_schema(zone=zone, named=True))
    add("Shipment", schema=shipment_schema(zone=zone, max_lines=most, named=False))
    add("OrderShipment", schema=shipment_schema(zone=zone, max_lines=most, named=True))
    add("Cancellation", schema=cancellation_schema(zone=zone, named=False))
    add("OrderCancellation", schema=cancellation_schema(zone=zone, named=True))
    add("Batch", _batch(settings, "Orders", "Order"))
    add("Completions", _batch(settings, "Completions", "OrderCompletion"))
    add("Shipments", _batch(settings, "Shipments", "OrderShipment"))
    add("Cancellations", _batch(settings, "Cancellations", "OrderCancellation"))
    add("Counts", schema=CountsSchema)
    add("Retry", RETRY)
    spec.components.schemas["Counts"]["properties"]["products"]["maxItems"] = settings.stock_max_rows
    for name, more in _MORE.items():
        spec.components.schemas[name].update(more)
    _add_written(spec)
    for name, answer in ANSWERS.items():
        add(name, answer)


_WRITTEN: tuple[type[Schema], ...] = (
    JobSchema,
    JobListSchema,
    OrderListSchema,
    ChangeListSchema,
    StockListSchema,
    StockSetSchema,
)


def _add_written(spec: APISpec) -> None:
    """Add what is written by a schema: all its members are always there, but for the few that are not."""
    schemas = spec.components.schemas
    known = set(schemas)
    for written in _WRITTEN:
        spec.components.schema(_component_name(written), schema=written)
    for name in schemas.keys() - known:
        schemas[name]["required"] = _ALWAYS.get(name, list(schemas[name]["properties"]))


def _component_name(schema: type[Schema] | Schema | str) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


_ADDRESS: JsonSchema = {
    "if": {"required": ["country"], "properties": {"country": {"enum": sorted(STATES_NEEDED)}}},
    "then": {
        "required": ["state"],
        "properties": {"state": {"type": "string", "pattern": r"\S"}},
    },
}


def _one_of(*schemas: JsonSchema) -> JsonSchema:
    """The JSON Schema that at least one of these holds, in words that generators of clients pass over.

    With ``anyOf`` beside its members, they make of an order a union of nameless parts, or nothing at all.
    """
    return {"if": {}, "then": {"anyOf": list(schemas)}}


_LINE: JsonSchema = {
    "description": "One line of an order. If several of `id`, `ean`, `upc` and `sku` are given, they mean "
    "the same item; one of them is needed. A UPC of 12 digits and the EAN of a 0 and those are one.",
    **_one_of(
        *({"required": [name], "properties": {name: _NAMED_ITEM}} for name in ("id", "ean", "upc", "sku"))
    ),
}
_ORDER: JsonSchema = {
    "description": "An order. What exporters write for nothing is absent: `null`; an empty text where a "
    "date, a number, a flag or the name of something belongs; `[]` where an object belongs; `0000-00-00`. "
    "An array may come as an object whose names are whole numbers: its values in that order. Names are "
    "compared in Unicode's NFC. Members that are not listed here are ignored and told in the outcome's "
    "`ignored`, unless the request prefers `handling=strict`: then each is an error. No text may hold "
    "U+0000. An e-mail is needed: on the invoice address, on the only one, or from the account, whose "
    "default address stands in.",
    "required": ["products"],
    **_one_of(
        {"required": ["invoiceAddress"], "properties": {"invoiceAddress": _WITH_EMAIL}},
        {"required": ["address"], "properties": {"invoiceAddress": _NONE, "address": _WITH_EMAIL}},
        {
            "required": ["deliveryAddress"],
            "properties": {"invoiceAddress": _NONE, "address": _NONE, "deliveryAddress": _WITH_EMAIL},
        },
        {
            "required": ["accountId"],
            "properties": {
                "invoiceAddress": _NONE,
                "address": _NONE,
                "deliveryAddress": _NONE,
                "accountId": {"type": ["integer", "string"]},
            },
        },
    ),
}
_COMPLETION: JsonSchema = {
    "description": "What may be said when a prepared order is completed, or later about its payment. "
    "Nothing is required."
}
_ORDER_COMPLETION: JsonSchema = {
    "description": "The completion of one order, or what is added to it: its number, and what may be said "
    "then. Only the number is required.",
    "required": ["order"],
}
_ALWAYS: dict[str, list[str]] = {"StockSet": ["status", "updated", "unchanged"]}
_COUNT: JsonSchema = _one_of({"required": ["quantity"]}, {"required": ["change"]})
_MORE = {
    "Count": _COUNT,
    "Address": _ADDRESS,
    "Line": _LINE,
    "Order": _ORDER,
    "Completion": _COMPLETION,
    "OrderCompletion": _ORDER_COMPLETION,
    "OrderShipment": {"description": "A shipment, and the order that it is of."},
    "OrderCancellation": {"description": "A cancellation, and the order that it is of."},
}
"""What JSON Schema has words for and fields have not."""


def _batch(settings: Settings, elements: str, element: str) -> JsonSchema:
    return {
        "type": "object",
        "description": f"{elements}, each under a key of the client's own: any text, the empty one "
        "included, but none twice. The answer has the same keys in the same order.",
        "propertyNames": {"maxLength": settings.max_key_chars},
        "maxProperties": settings.max_orders,
        "additionalProperties": {"$ref": f"#/components/schemas/{element}"},
    }
