"""The one declaration of an order's parameters (contract §6): what they are called, hold and mean.

Unknown members are for whoever reads: see ``sent.unknown_members``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields

from shared.domain.order import MOST_NUMBER, MOST_QUANTITY, UNREAD_CODE
from shared.domain.outcome import quoted
from shared.domain.reasons import FIELD_MISSING, TOO_MANY
from shared.schemas.fields import (
    Amount,
    Choice,
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
from shared.schemas.order.address import AddressSchema
from shared.schemas.order.line import LineSchema
from shared.schemas.order.parameters import (
    COMMENT_CHARS,
    NAME_CHARS,
    described,
    is_blank,
    name_text,
    short_text,
)
from shared.schemas.order.sent import Sent, WrongTogether

MOST_CODES = 50
_ID = {"least": 1, "most": MOST_QUANTITY}
_ADDRESSES = ("invoiceAddress", "address", "deliveryAddress")
"""In the order in which one is the invoice's."""

_EMAIL = Email()


class OriginSchema(Sent):
    """What the order was made from."""

    type = Choice("return", "order", "plugin", required=True, metadata=described("return, order or plugin."))
    id = Whole(required=True, least=1, most=MOST_NUMBER, metadata=described("Its id; an order's number."))


class TransactionSchema(Sent):
    """An authorisation or a capture that has happened elsewhere."""

    status = Whole(required=True, least=0, most=2, metadata=described("0, 1 or 2."))
    amount = Amount(required=True, metadata=described("Amount in the order's currency."))
    response = Text(most=COMMENT_CHARS, allow_none=True, metadata=described("The provider's answer."))
    transaction = short_text("The provider's transaction id.")
    method = short_text("How it was paid.")
    external_url = Text(most=2_000, allow_none=True, metadata=described("Where the provider shows it."))


class PaymentSchema(Sent):
    """A payment: recorded, not executed."""

    id = Whole(**_ID, allow_none=True, metadata=described("The payment method's id."))
    auth = fields.Nested(TransactionSchema, allow_none=True, metadata=described("The authorisation."))
    capture = fields.Nested(TransactionSchema, allow_none=True, metadata=described("The capture."))


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
        AddressSchema, allow_none=True, metadata=described("Invoice and delivery address in one.")
    )
    invoiceAddress = fields.Nested(AddressSchema, allow_none=True, metadata=described("The invoice address."))
    deliveryAddress = fields.Nested(
        AddressSchema, allow_none=True, metadata=described("The delivery address.")
    )
    products = Lines(
        fields.Nested(LineSchema), allow_none=True, metadata=described("The lines; at least one.")
    )
    pricelistId = Whole(**_ID, allow_none=True, metadata=described("Pricelist by id; wins over the name."))
    pricelist = name_text("Pricelist by name; else the market's.", filled=True)
    currency = Currency(
        allow_none=True,
        metadata=described("ISO 4217 code of what the sender counts in; another than the pricelist's is -7."),
    )
    marketId = Whole(**_ID, allow_none=True, metadata=described("Market by id; wins over the name."))
    market = name_text("Market by name; else that of the delivery country.", filled=True)
    customerRegister = Flag(
        allow_none=True,
        metadata=described("Attach to the customer of this mailbox, however it is spelled, or register one."),
    )
    customerId = Whole(
        least=1, most=MOST_NUMBER, allow_none=True, metadata=described("Attach to this customer.")
    )
    customerSetNewPassword = Flag(
        allow_none=True, metadata=described("Flag the customer for a password reset.")
    )
    createdFromOrigin = fields.Nested(
        OriginSchema, allow_none=True, metadata=described("What the order was made from.")
    )
    extraAttributes = Members(
        most_members=200,
        most=50_000,
        allow_none=True,
        metadata=described('Attributes of your own, stored as sent; "" removes one.'),
    )
    accountId = Whole(**_ID, allow_none=True, metadata=described("B2B: the account."))
    buyerId = Whole(**_ID, allow_none=True, metadata=described("The account's buyer; else its default one."))
    buyerName = short_text("The buyer's name.")
    deliveryWindow = name_text("B2B: the delivery window; a preorder window takes no stock.", filled=True)
    shippingList = name_text("Shipping option by URI; else the default one of the country.", filled=True)
    shippingValue = Amount(allow_none=True, metadata=described("Shipping cost; else the option's price."))
    voucherValue = Amount(allow_none=True, metadata=described("Reduction; the total never goes below 0."))
    voucherCodes = Codes(
        Text(most=NAME_CHARS, filled=True, nfc=True),
        most=MOST_CODES,
        allow_none=True,
        metadata=described("Voucher codes, in any case; each must be valid now."),
    )
    applyVouchers = Flag(allow_none=True, metadata=described("Apply automatic vouchers."))
    orderNumber = Whole(
        least=1, most=MOST_NUMBER, allow_none=True, metadata=described("Explicit order number.")
    )
    sendEmail = Flag(allow_none=True, metadata=described("Send a confirmation; else the store's setting."))
    adjustStock = Flag(allow_none=True, metadata=described("Take stock, and fail with -2 if it is missing."))
    forceCreate = Flag(
        allow_none=True, metadata=described("Create although stock or product is missing: back-ordered.")
    )
    comment = Text(most=COMMENT_CHARS, allow_none=True, metadata=described("The customer's comment."))
    internalComment = Text(most=COMMENT_CHARS, allow_none=True, metadata=described("The shop's comment."))
    poNumber = short_text("Purchase order number.")
    orderDate = Moment(allow_none=True, metadata=described("When it was ordered; else now."))
    deliveryDate = Moment(allow_none=True, metadata=described("When it is to be delivered."))
    cancelDate = Moment(allow_none=True, metadata=described("When it is to be cancelled."))
    warehouseGroup = name_text("The allocation rule; else the market's.", filled=True)
    createOnly = Flag(allow_none=True, metadata=described("Prepare only; complete later."))
    internalOrder = Flag(allow_none=True, metadata=described("An order of the shop's own."))
    payment = fields.Nested(
        PaymentSchema, allow_none=True, metadata=described("A payment: recorded, not executed.")
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
    if is_blank(email):
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
