"""The peers' validation: a plain marshmallow schema of what the bench's orders hold."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate


class Address(Schema):
    """An address."""

    class Meta:
        """Other members are ignored."""

        unknown = EXCLUDE

    country = fields.String(required=True, validate=validate.Length(equal=2))
    email = fields.Email()
    firstName = fields.String()
    lastName = fields.String()
    address = fields.String()
    coaddress = fields.String()
    zipcode = fields.String()
    city = fields.String()


class Line(Schema):
    """A line."""

    sku = fields.String(required=True)
    qty = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    unitPrice = fields.Float(required=True)
    originalPrice = fields.Float(required=True)


class Order(Schema):
    """An order."""

    invoiceAddress = fields.Nested(Address, required=True)
    deliveryAddress = fields.Nested(Address, required=True)
    products = fields.List(fields.Nested(Line), required=True, validate=validate.Length(min=1))


def checked(order: dict[str, Any]) -> dict[str, Any]:
    """The order as the schema reads it. Raises marshmallow's ValidationError."""
    read: dict[str, Any] = Order().load(order)
    return read
