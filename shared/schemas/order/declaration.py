"""The one declaration of an order's parameters (contract §6): what they are called, hold and mean.

Unknown members are for whoever reads: see ``sent.unknown_members``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields

from shared.domain.order import MOST_NUMBER, MOST_QUANTITY, STATES_NEEDED, UNREAD_CODE
from shared.domain.outcome import quoted
from shared.domain.reasons import FIELD_MISSING, ITEM_NOT_NAMED, TOO_MANY
from shared.schemas.fields import (
    Amount,
    Choice,
    Country,
    Currency,
    Elements,
    Email,
    Flag,
    Members,
    Moment,
    Text,
    Told,
    Whole,
    told_by,
)
from shared.schemas.order.sent import Sent, WrongTogether

NAME_CHARS = 255
COMMENT_CHARS = 5_000
MOST_CODES = 50

_ID = {"least": 1, "most": MOST_QUANTITY}
_ITEM_NAMES = ("id", "ean", "upc", "sku")
_ADDRESSES = ("invoiceAddress", "address", "deliveryAddress")
"""In the order in which one is the invoice's."""


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _name(doc: str, **kwargs: Any) -> Text:
    return Text(most=NAME_CHARS, allow_none=True, metadata=_doc(doc), **kwargs)


def _named(doc: str, **kwargs: Any) -> Text:
    """What is compared with names of ours."""
    return _name(doc, nfc=True, **kwargs)


def _size() -> fields.Nested:
    doc = _doc("The size as it is called locally.")
    return fields.Nested(LocalizedSizeSchema, allow_none=True, metadata=doc)


_EMAIL = Email()


class AddressSchema(Sent):
    """An address; ``email`` counts on the invoice (or only) one."""

    email = Email(
        allow_none=True,
        as_sent=True,
        metadata=_doc("Required on the invoice (or only) address; on a delivery address beside it any text."),
    )
    country = Country(required=True, metadata=_doc("ISO 3166 alpha-2 code, in capitals."))
    state = _name("Required in US, CA and AU.")
    firstName = _name("First name.")
    lastName = _name("Last name.")
    tele = _name("Telephone number.")
    cell = _name("Mobile telephone number.")
    attn = _name("For the attention of.")
    address = _name("Street and number.")
    coaddress = _name("Care of; the second line.")
    city = _name("City.")
    zipcode = _name("Postal code.")

    def is_absent(self, name: str, value: Any) -> bool:
        """A blank e-mail is none; whether one is needed depends on the address's part."""
        return super().is_absent(name, value) or (name == "email" and _is_blank(value))

    def lacks(self, values: Mapping[str, Any]) -> bool:
        """Whether a state is missing."""
        return values["country"] in STATES_NEEDED and _is_blank(values.get("state"))

    def wrong_together(self, values: Mapping[str, Any], sent: Any) -> Iterator[WrongTogether]:
        """Some countries' addresses need a state."""
        if values.get("country") in STATES_NEEDED and _is_blank(sent.get("state")):
            yield ("state",), Told(FIELD_MISSING, f"is required for country {values['country']!r}")


class LocalizedSizeSchema(Sent):
    """A size as it is called where the order goes."""

    localizedSize = _name("The size's local name.")
    localizationDefinitionName = _name("The name of the sizing standard.")


class ItemTextSchema(Sent):
    """What is printed in the item's place."""

    sku = _name("Printed SKU.")
    brand = _name("Printed brand.")
    product = _name("Printed product.")
    variant = _name("Printed variant.")
    size = _name("Printed size.")
    localizedProdSize = _size()


class LineSchema(Sent):
    """One line of an order."""

    qty = Whole(required=True, least=1, most=MOST_QUANTITY, metadata=_doc("How many."))
    id = Whole(least=1, most=MOST_NUMBER, allow_none=True, metadata=_doc("The item's id."))
    ean = _named("The item's EAN.")
    upc = _named("The item's UPC.")
    sku = _named("The size SKU, or product, variant and size SKU run together.")
    unitPrice = Amount(allow_none=True, metadata=_doc("Price of one; else the pricelist's."))
    originalPrice = Amount(allow_none=True, metadata=_doc("Price before discount; else the pricelist's."))
    comment = Text(most=COMMENT_CHARS, allow_none=True, metadata=_doc("A remark on the line."))
    itemText = fields.Nested(ItemTextSchema, allow_none=True, metadata=_doc("Overrides what is printed."))
    localizedProdSize = _size()

    names = frozenset(_ITEM_NAMES)

    def lacks(self, values: Mapping[str, Any]) -> bool:
        """Whether no item is named."""
        return not any(name in values for name in _ITEM_NAMES)

    def wrong_together(self, _values: Mapping[str, Any], sent: Any) -> Iterator[WrongTogether]:
        """One of id, ean, upc, sku."""
        if sent == [] or (
            isinstance(sent, dict) and all(sent.get(name) in (None, "") for name in _ITEM_NAMES)
        ):
            yield (), Told(ITEM_NOT_NAMED, "names no item; send id, ean, upc or sku")


class OriginSchema(Sent):
    """What the order was made from."""

    type = Choice("return", "order", "plugin", required=True, metadata=_doc("return, order or plugin."))
    id = Whole(required=True, least=1, most=MOST_NUMBER, metadata=_doc("Its id; an order's number."))


class TransactionSchema(Sent):
    """An authorisation or a capture that has happened elsewhere."""

    status = Whole(required=True, least=0, most=2, metadata=_doc("0, 1 or 2."))
    amount = Amount(required=True, metadata=_doc("Amount in the order's currency."))
    response = Text(most=COMMENT_CHARS, allow_none=True, metadata=_doc("The provider's answer."))
    transaction = _name("The provider's transaction id.")
    method = _name("How it was paid.")
    external_url = Text(most=2_000, allow_none=True, metadata=_doc("Where the provider shows it."))


class PaymentSchema(Sent):
    """A payment: recorded, not executed."""

    id = Whole(**_ID, allow_none=True, metadata=_doc("The payment method's id."))
    auth = fields.Nested(TransactionSchema, allow_none=True, metadata=_doc("The authorisation."))
    capture = fields.Nested(TransactionSchema, allow_none=True, metadata=_doc("The capture."))


class Lines(Elements):
    """The order's lines, of which there may be ``root.max_lines``."""

    def too_many(self, count: int) -> Told | None:
        """What is said of so many lines; None where they are not too many."""
        most = self.root.max_lines if isinstance(self.root, OrderSchema) else 0
        if count <= most:
            return None
        text = f"has {count} lines; {most} are the most in one order"
        return Told(TOO_MANY, text, count=count, most=most)


class Codes(Elements):
    """Voucher codes; of those, one that cannot be read leaves ``UNREAD_CODE`` in its place."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ValidationError as error:
            if not isinstance(error.valid_data, list):
                raise
            read, unread = iter(error.valid_data), {int(at) for at in error.messages_dict}
            places = [UNREAD_CODE if at in unread else next(read) for at in range(len(value))]
            raise ValidationError(error.messages_dict, valid_data=places) from None


class OrderSchema(Sent):
    """An order, as contract §6 has it."""

    address = fields.Nested(
        AddressSchema, allow_none=True, metadata=_doc("Invoice and delivery address in one.")
    )
    invoiceAddress = fields.Nested(AddressSchema, allow_none=True, metadata=_doc("The invoice address."))
    deliveryAddress = fields.Nested(AddressSchema, allow_none=True, metadata=_doc("The delivery address."))
    products = Lines(fields.Nested(LineSchema), allow_none=True, metadata=_doc("The lines; at least one."))
    pricelistId = Whole(**_ID, allow_none=True, metadata=_doc("Pricelist by id; wins over the name."))
    pricelist = _named("Pricelist by name; else the market's.", filled=True)
    currency = Currency(
        allow_none=True,
        metadata=_doc("ISO 4217 code of what the sender counts in; another than the pricelist's is -7."),
    )
    marketId = Whole(**_ID, allow_none=True, metadata=_doc("Market by id; wins over the name."))
    market = _named("Market by name; else that of the delivery country.", filled=True)
    customerRegister = Flag(
        allow_none=True,
        metadata=_doc("Attach to the customer of this mailbox, however it is spelled, or register one."),
    )
    customerId = Whole(least=1, most=MOST_NUMBER, allow_none=True, metadata=_doc("Attach to this customer."))
    customerSetNewPassword = Flag(allow_none=True, metadata=_doc("Flag the customer for a password reset."))
    createdFromOrigin = fields.Nested(
        OriginSchema, allow_none=True, metadata=_doc("What the order was made from.")
    )
    extraAttributes = Members(
        most_members=200,
        most=50_000,
        allow_none=True,
        metadata=_doc('Attributes of your own, stored as sent; "" removes one.'),
    )
    accountId = Whole(**_ID, allow_none=True, metadata=_doc("B2B: the account."))
    buyerId = Whole(**_ID, allow_none=True, metadata=_doc("The account's buyer; else its default one."))
    buyerName = _name("The buyer's name.")
    deliveryWindow = _named("B2B: the delivery window; a preorder window takes no stock.", filled=True)
    shippingList = _named("Shipping option by URI; else the default one of the country.", filled=True)
    shippingValue = Amount(allow_none=True, metadata=_doc("Shipping cost; else the option's price."))
    voucherValue = Amount(allow_none=True, metadata=_doc("Reduction; the total never goes below 0."))
    voucherCodes = Codes(
        Text(most=NAME_CHARS, filled=True, nfc=True),
        most=MOST_CODES,
        allow_none=True,
        metadata=_doc("Voucher codes, in any case; each must be valid now."),
    )
    applyVouchers = Flag(allow_none=True, metadata=_doc("Apply automatic vouchers."))
    orderNumber = Whole(least=1, most=MOST_NUMBER, allow_none=True, metadata=_doc("Explicit order number."))
    sendEmail = Flag(allow_none=True, metadata=_doc("Send a confirmation; else the store's setting."))
    adjustStock = Flag(allow_none=True, metadata=_doc("Take stock, and fail with -2 if it is missing."))
    forceCreate = Flag(
        allow_none=True, metadata=_doc("Create although stock or product is missing: back-ordered.")
    )
    comment = Text(most=COMMENT_CHARS, allow_none=True, metadata=_doc("The customer's comment."))
    internalComment = Text(most=COMMENT_CHARS, allow_none=True, metadata=_doc("The shop's comment."))
    poNumber = _name("Purchase order number.")
    orderDate = Moment(allow_none=True, metadata=_doc("When it was ordered; else now."))
    deliveryDate = Moment(allow_none=True, metadata=_doc("When it is to be delivered."))
    cancelDate = Moment(allow_none=True, metadata=_doc("When it is to be cancelled."))
    warehouseGroup = _named("The allocation rule; else the market's.", filled=True)
    createOnly = Flag(allow_none=True, metadata=_doc("Prepare only; complete later."))
    internalOrder = Flag(allow_none=True, metadata=_doc("An order of the shop's own."))
    payment = fields.Nested(
        PaymentSchema, allow_none=True, metadata=_doc("A payment: recorded, not executed.")
    )

    def __init__(self, *, zone: ZoneInfo, max_lines: int, needs_address: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone
        self.max_lines = max_lines
        self.needs_address = needs_address

    def invoice(self, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The address that counts as the invoice's, of what was read."""
        return next((values[name] for name in _ADDRESSES if name in values), None)

    def lacks(self, values: Mapping[str, Any]) -> bool:
        """Whether an address, or the e-mail of the invoice's or only one, is missing."""
        if not self.needs_address:
            return False
        invoice = self.invoice(values)
        return "accountId" not in values if invoice is None else "email" not in invoice

    def wrong_together(self, _values: Mapping[str, Any], sent: Any) -> Iterator[WrongTogether]:
        """An address (unless an account's stands in), with an e-mail on the invoice or only one."""
        if not self.needs_address:
            return
        given = [name for name in _ADDRESSES if not self.is_absent(name, sent.get(name))]
        if not given:
            if self.is_absent("accountId", sent.get("accountId")):
                msg = "is required; send address, or invoiceAddress and deliveryAddress"
                yield ("address",), Told(FIELD_MISSING, msg)
            return
        invoice = sent[given[0]]
        if isinstance(invoice, dict):
            for told in _wrong_email(invoice.get("email")):
                yield (given[0], "email"), told


def _wrong_email(email: Any) -> list[Told]:
    """What is wrong with the e-mail that counts, but for what the address's own field has refused."""
    if _is_blank(email):
        return [Told(FIELD_MISSING, "is required")]
    if not isinstance(email, str) or len(email) > _EMAIL.most or "\x00" in email:
        return []
    try:
        _EMAIL.check(email)
    except ValidationError as error:
        return told_by(error)
    return []


def not_an_object(value: Any) -> str:
    """The message for an order that is none."""
    return f"the order is {quoted(value)}; send an object"
