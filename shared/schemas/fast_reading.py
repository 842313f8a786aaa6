"""The fast way for orders without faults: typed structs compiled from the order's schema.

The marshmallow schema is the one declaration. From its fields this makes structs that msgspec decodes into,
about ten times faster. Whatever is not of the plainest form is doubted, which costs nothing but time: the
schema reads it then. A test holds both ways to the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from email_validator import EmailNotValidError, validate_email
from marshmallow import Schema, fields

from shared.domain.order import CENT, Address, LineRequest, OrderRequest, References
from shared.schemas.fields import COUNTRIES, Amount, Country, Flag, Text, Whole
from shared.schemas.order import STATES_NEEDED, AddressSchema, ItemTextSchema, LineSchema, OrderSchema

_MONEY = re.compile(rb"(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?")
_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LOCAL_PART_CHARS = 64
_NESTED = (AddressSchema, ItemTextSchema, LineSchema)
_TEXTS_FILLED = ("market", "pricelist", "warehouseGroup", "deliveryWindow", "shippingList")


class _DoubtError(Exception):
    """The order is not of the plainest form; the schema decides."""


def _struct(schema: Schema) -> type[msgspec.Struct]:
    """A struct of the schema's members, each with the plainest type that its field takes."""
    members = [(name, _type(field), None) for name, field in schema.fields.items()]
    return msgspec.defstruct(type(schema).__name__, members, kw_only=True, gc=False)


def _type(field: Any) -> Any:
    """A field's plainest type, or null's: then whatever is sent is doubted."""
    plain: Any = None
    if field.validate:
        return plain
    match field:
        case Country():
            plain = str | None
        case Text():
            plain = Annotated[str, msgspec.Meta(max_length=field.most)] | None
        case Whole():
            plain = Annotated[int, msgspec.Meta(ge=field.least, le=field.most)] | None
        case Flag():
            plain = bool | None
        case Amount():
            # As written: a float would round it, and a Decimal would take text that is none of money.
            plain = msgspec.Raw
        case fields.List() if isinstance(field.inner, fields.Nested):
            plain = list[_type(field.inner)] | None  # type: ignore[misc]
        case fields.Nested() if isinstance(field.schema, _NESTED):
            plain = _struct(field.schema) | None
    return plain


def fast_reader(schema: OrderSchema) -> Callable[[bytes | msgspec.Raw], OrderRequest | None]:
    """A function that reads an order's bytes, or gives None where it doubts."""
    struct = _struct(schema)
    decoder = msgspec.json.Decoder(struct)
    most_lines = schema.max_lines

    def read(raw: bytes | msgspec.Raw) -> OrderRequest | None:
        text = bytes(raw)
        try:
            order: Any = decoder.decode(text)
            return _order(order, text, most_lines)
        except (msgspec.MsgspecError, RecursionError, _DoubtError):
            return None

    return read


def _order(order: Any, text: bytes, most_lines: int) -> OrderRequest:
    # U+0000 cannot stand in JSON but escaped.
    _doubt_unless(b"\\u0000" not in text and order.products and len(order.products) <= most_lines)
    counted = [_count(order)]
    lines = tuple(_line(line, counted) for line in order.products)
    invoice = order.invoiceAddress or order.address or order.deliveryAddress
    delivery = order.deliveryAddress or order.address or order.invoiceAddress
    _doubt_unless(invoice is not None and invoice.email)
    read = {id(a): _address(a, counted) for a in (order.address, invoice, delivery) if a is not None}
    # As many members as names in the text: none unknown, none twice, and none that is null.
    _doubt_unless(sum(counted) == text.count(b'":'))
    return OrderRequest(
        lines=lines,
        references=_references(order),
        invoice=read[id(invoice)],
        delivery=read[id(delivery)],
        customer_register=order.customerRegister or False,
        customer_set_new_password=order.customerSetNewPassword or False,
        buyer_name=order.buyerName,
        shipping_value=_money(order.shippingValue),
        voucher_value=_money(order.voucherValue),
        apply_vouchers=order.applyVouchers is not False,
        order_number=order.orderNumber,
        send_email=order.sendEmail,
        adjust_stock=order.adjustStock is not False,
        force_create=order.forceCreate or False,
        comment=order.comment,
        internal_comment=order.internalComment,
        po_number=order.poNumber,
        create_only=order.createOnly or False,
        internal_order=order.internalOrder or False,
    )


def _doubt_unless(plain: object) -> None:
    if not plain:
        raise _DoubtError


def _count(struct: Any) -> int:
    values = msgspec.structs.astuple(struct)
    return len(values) - values.count(None)


def _references(order: Any) -> References:
    names = [value for name in _TEXTS_FILLED if (value := getattr(order, name)) is not None]
    _doubt_unless(all(name.strip() for name in names))
    return References(
        market_id=order.marketId,
        market=order.market,
        pricelist_id=order.pricelistId,
        pricelist=order.pricelist,
        warehouse_group=order.warehouseGroup,
        shipping_uri=order.shippingList,
        delivery_window=order.deliveryWindow,
        account_id=order.accountId,
        buyer_id=order.buyerId,
        customer_id=order.customerId,
    )


def _line(line: Any, counted: list[int]) -> LineRequest:
    _doubt_unless(line is not None and line.qty is not None and line.ean != "" and line.sku != "")
    _doubt_unless(line.sku or line.ean or line.id is not None)
    counted.append(_count(line))
    item_text = None
    if line.itemText is not None:
        # Sizes as they are called locally are an object in the object.
        _doubt_unless(line.itemText.localizedProdSize is None)
        item_text = _members(line.itemText)
        counted.append(len(item_text))
    return LineRequest(
        quantity=line.qty,
        item_id=line.id,
        ean=line.ean,
        sku=line.sku,
        unit_price=_money(line.unitPrice),
        original_price=_money(line.originalPrice),
        comment=line.comment,
        item_text=item_text,
    )


def _address(address: Any, counted: list[int]) -> Address:
    members = _members(address)
    counted.append(len(members))
    _doubt_unless(address.country in COUNTRIES)
    _doubt_unless(address.country not in STATES_NEEDED or (address.state and address.state.strip()))
    if address.email is not None:
        local, _, domain = address.email.rpartition("@")
        _doubt_unless(len(local) <= _LOCAL_PART_CHARS and _LOCAL_PART.fullmatch(local))
        _doubt_unless(_domain_is_plain(domain))
    return Address(address.country, address.email, members)


def _members(struct: Any) -> dict[str, Any]:
    values = zip(struct.__struct_fields__, msgspec.structs.astuple(struct), strict=True)
    return {name: value for name, value in values if value is not None}


def _money(raw: msgspec.Raw | None) -> Decimal | None:
    if raw is None:
        return None
    text = bytes(raw)
    _doubt_unless(_MONEY.fullmatch(text))
    return Decimal(text.decode("ascii")).quantize(CENT)


@lru_cache(maxsize=10_000)
def _domain_is_plain(domain: str) -> bool:
    """Whether the schema would take any plain mailbox of this domain. Domains recur, mailboxes do not."""
    try:
        return bool(domain.isascii() and validate_email(f"a@{domain}", check_deliverability=False))
    except EmailNotValidError:
        return False
