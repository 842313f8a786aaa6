"""An order as the platform's clients know it, field by field (GET /v1/orders).

What was not sent is null. The dates that a client gives are told in the organisation's zone, with its offset:
a deliveryDate of 2027-01-31 reads 2027-01-31T00:00:00+01:00, which names the same day, is exact, and may be
sent again. The moment that is ours, createdAt, is told in UTC, as a job's are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from marshmallow import Schema, fields

from shared.domain.order_list import ORDER_STATES
from shared.schemas.job import Rfc3339

_TEXT: Mapping[str, Any] = {"type": ["string", "null"]}
_MONEY: Mapping[str, Any] = {"type": "number"}


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


def _made(make: Callable[[Any], Any], doc: str, shape: Mapping[str, Any] = _TEXT) -> fields.Function:
    """A field that is made from the whole object; ``shape`` is its JSON schema."""
    return fields.Function(make, metadata={**_doc(doc), **shape})


def _text(attribute: str, doc: str) -> fields.String:
    return fields.String(attribute=attribute, allow_none=True, metadata=_doc(doc))


def _whole(attribute: str, doc: str, *, or_null: bool = False) -> fields.Integer:
    return fields.Integer(attribute=attribute, allow_none=or_null, metadata=_doc(doc))


def _flag(attribute: str, doc: str, *, or_null: bool = False) -> fields.Boolean:
    return fields.Boolean(attribute=attribute, allow_none=or_null, metadata=_doc(doc))


class Money(fields.Decimal):
    """An amount, left as it is for a writer that keeps its digits."""

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class Dated(fields.DateTime):
    """A moment in the zone that it comes in, with its offset."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.isoformat()


class AsWritten(fields.Dict):
    """JSON text, put into the answer as it is: numbers keep every digit."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else msgspec.Raw(value.encode())


class AllocationSchema(Schema):
    """Units that are reserved for a line in one warehouse."""

    name = _made(lambda allocation: allocation[0], "The warehouse.", {"type": "string"})
    itemQty = _made(lambda allocation: allocation[1], "Units.", {"type": "integer"})


def _printed(name: str, doc: str) -> fields.Function:
    return _made(lambda line: line.printed(name), f"{doc} when it was sold; the order's itemText wins.")


class ListedLineSchema(Schema):
    """A line. In a split order it stands in each part that ships some of it, with what that part ships."""

    lineId = _whole("id", "The line's id.")
    line = _whole("line", "Its place among the products that were sent, from 0.")
    itemId = _whole("item_id", "The item; null for a product that forceCreate let in unknown.", or_null=True)
    itemSku = fields.String(attribute="sku", metadata=_doc("The item's own SKU, whatever is printed."))
    sku = _printed("sku", "SKU")
    ean = _text("ean", "EAN.")
    upc = _text("upc", "UPC.")
    name = _printed("product", "The product's name")
    variant = _printed("variant", "Variant")
    size = _printed("size", "Size")
    brand = _printed("brand", "Brand")
    qty = _whole("quantity", "Units, those back-ordered included.")
    backOrdered = _whole("back_ordered", "Units that wait for stock.")
    shipped = _whole("shipped", "Units that have shipped.")
    originalPrice = Money(attribute="original_price", metadata=_doc("Price of one before discount."))
    price = Money(attribute="unit_price", metadata=_doc("Price of one."))
    priceDiscount = _made(
        lambda line: line.original_price - line.unit_price, "Of one: originalPrice - price.", _MONEY
    )
    totalPrice = _made(lambda line: line.unit_price * line.quantity, "price times qty.", _MONEY)
    comment = _text("comment", "The remark on the line.")
    itemText = fields.Raw(attribute="item_text", allow_none=True, metadata=_doc("As sent."))
    warehouses = fields.List(fields.Nested(AllocationSchema), metadata=_doc("Where units are reserved."))


class RecordedSchema(Schema):
    """An authorisation or a capture, as sent."""

    status = _whole("status", "0, 1 or 2.")
    amount = Money(metadata=_doc("Amount in the order's currency."))
    response = _text("response", "The provider's answer.")
    transaction = _text("transaction", "The provider's transaction id.")
    method = _text("method", "How it was paid.")
    external_url = _text("external_url", "Where the provider shows it.")


class ListedPaymentSchema(RecordedSchema):
    """One record of a payment."""

    id = _whole("method_id", "The payment method's id.", or_null=True)
    kind = _text("kind", "auth, capture, or null: only the method was told.")


class PaymentAsSentSchema(Schema):
    """The payment in the shape that it is sent in: what was told last of each."""

    id = fields.Integer(allow_none=True, metadata=_doc("The payment method's id."))
    auth = fields.Nested(RecordedSchema, allow_none=True, metadata=_doc("The last authorisation."))
    capture = fields.Nested(RecordedSchema, allow_none=True, metadata=_doc("The last capture."))


class ListedShipmentSchema(Schema):
    """A shipment: what has left of the order at one time."""

    shipment = _whole("number", "Its number.")
    shipped = Dated(attribute="shipped_at", metadata=_doc("When it left."))
    carrier = _text("carrier", "Who carries it.")
    service = _text("service", "The carrier's service.")
    tracking = _text("tracking", "The carrier's number of it, or where it can be followed.")
    reference = _text("reference", "The client's own name for it.")
    products = _made(
        lambda shipment: {str(line_id): quantity for line_id, quantity in shipment.products.items()},
        "Units by line id.",
        {"type": "object", "additionalProperties": {"type": "integer"}},
    )


class VoucherSchema(Schema):
    """A voucher that took something off."""

    code = fields.String(allow_none=True, metadata=_doc("Its code; null for an automatic one."))
    name = fields.String(allow_none=True, metadata=_doc("Its name."))
    value = _made(lambda voucher: voucher["value"], "What it took off.", _MONEY)


def _name(address: Mapping[str, str]) -> str | None:
    names = [address[part] for part in ("firstName", "lastName") if address.get(part)]
    return " ".join(names) or None


def _billed(name: str, doc: str) -> fields.Function:
    return _made(lambda order: order.invoice.get(name), f"{doc} of the invoice address.")


def _delivered(name: str, doc: str) -> fields.Function:
    return _made(lambda order: order.delivery.get(name), f"{doc} of the delivery address.")


class ListedOrderSchema(Schema):
    """An order. What is of a whole split order, its payments and vouchers, stands on its first."""

    orderId = _whole("number", "The order's number, as its outcome told it.")
    state = fields.String(
        metadata=_doc(f"How far it has come: {', '.join(ORDER_STATES)}; prepared by createOnly.")
    )
    siblings = fields.List(fields.Integer(), metadata=_doc("The other orders that it was split into."))
    jobId = fields.UUID(attribute="job_id", metadata=_doc("The job that it came from."))
    key = fields.String(attribute="batch_key", metadata=_doc("Its key in that batch, as sent."))
    batchKey = _made(lambda order: order.batch_key, "Another name of `key`.", {"type": "string"})
    createdAt = Rfc3339(attribute="created_at", metadata=_doc("When it was made here."))
    modifiedAt = Rfc3339(attribute="modified_at", metadata=_doc("When it was made, or changed last."))
    orderDate = Dated(attribute="order_date", metadata=_doc("When it was ordered."))
    deliveryDate = Dated(attribute="delivery_date", allow_none=True, metadata=_doc("When to deliver."))
    cancelDate = Dated(attribute="cancel_date", allow_none=True, metadata=_doc("When to cancel."))
    deliveryWindow = _text("delivery_window", "B2B: the delivery window.")
    customerId = _whole("customer_id", "The customer.")
    customerRegistered = _flag("customer_registered", "Whether the customer is a registered one.")
    customerSetNewPassword = _flag("customer_to_reset_password", "Whether a new password is asked for.")
    accountId = _whole("account_id", "B2B: the account.", or_null=True)
    buyerId = _whole("buyer_id", "B2B: the buyer.", or_null=True)
    buyerName = _text("buyer_name", "The buyer's name.")
    marketId = _whole("market_id", "The market.")
    market = fields.String(metadata=_doc("Its name."))
    pricelistId = _whole("pricelist_id", "The pricelist.")
    pricelist = fields.String(metadata=_doc("Its name."))
    warehouseGroup = fields.String(attribute="allocation_rule", metadata=_doc("The allocation rule."))

    deliveryName = _made(lambda order: _name(order.delivery), "First and last name of the delivery address.")
    deliveryFirstName = _delivered("firstName", "First name")
    deliveryLastName = _delivered("lastName", "Last name")
    deliveryEmail = _delivered("email", "E-mail")
    deliveryAttn = _delivered("attn", "For the attention of,")
    deliveryAddress = _delivered("address", "Street and number")
    deliveryCoaddress = _delivered("coaddress", "Second line")
    deliveryZipcode = _delivered("zipcode", "Postal code")
    deliveryCity = _delivered("city", "City")
    deliveryState = _delivered("state", "State")
    deliveryCountry = _delivered("country", "Country")
    deliveryTele = _delivered("tele", "Telephone number")
    deliveryCell = _delivered("cell", "Mobile number")

    billingName = _made(lambda order: _name(order.invoice), "First and last name of the invoice address.")
    billingFirstName = _billed("firstName", "First name")
    billingLastName = _billed("lastName", "Last name")
    billingEmail = _billed("email", "E-mail")
    billingAttn = _billed("attn", "For the attention of,")
    billingAddress = _billed("address", "Street and number")
    billingCoaddress = _billed("coaddress", "Second line")
    billingZipcode = _billed("zipcode", "Postal code")
    billingCity = _billed("city", "City")
    billingState = _billed("state", "State")
    billingCountry = _billed("country", "Country")
    billingTele = _billed("tele", "Telephone number")
    billingCell = _billed("cell", "Mobile number")

    orderCurrency = fields.String(attribute="currency", metadata=_doc("ISO 4217."))
    totalItemsPrice = Money(attribute="lines_total", metadata=_doc("The lines together."))
    shippingList = _text("shipping_uri", "The shipping option.")
    shippingValue = Money(attribute="shipping_value", metadata=_doc("What shipping costs."))
    voucherValue = Money(attribute="voucher_value", metadata=_doc("What is taken off."))
    grandTotalValue = Money(attribute="grand_total", metadata=_doc("Lines + shipping - vouchers."))
    vouchers = fields.List(fields.Nested(VoucherSchema), metadata=_doc("What took it off."))
    payment = fields.Nested(PaymentAsSentSchema, allow_none=True, metadata=_doc("As sent; null if none."))
    payments = fields.List(fields.Nested(ListedPaymentSchema), metadata=_doc("Every record, oldest first."))

    comment = _text("comment", "The customer's comment.")
    internalComment = _text("internal_comment", "The shop's comment.")
    poNumber = _text("po_number", "Purchase order number.")
    applyVouchers = _flag("apply_vouchers", "Whether automatic vouchers were wanted.")
    internalOrder = _flag("internal_order", "Whether it is an order of the shop's own.")
    adjustStock = _flag("adjust_stock", "Whether it takes stock.")
    forceCreate = _flag("force_create", "Whether it was made whatever was missing.")
    sendEmail = _flag("send_email", "Whether to confirm it; null: as the store does.", or_null=True)
    createdFromOrigin = fields.Raw(attribute="origin", allow_none=True, metadata=_doc("As sent."))
    extraAttributes = AsWritten(attribute="extra_attributes", allow_none=True, metadata=_doc("As sent."))
    products = fields.List(fields.Nested(ListedLineSchema), attribute="lines", metadata=_doc("The lines."))
    shipments = fields.List(fields.Nested(ListedShipmentSchema), metadata=_doc("What has shipped of it."))
