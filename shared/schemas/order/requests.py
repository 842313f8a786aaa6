"""What an order's values ask for: from the schema's values to the domain's request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.domain.order import (
    NOTHING_NAMED,
    Address,
    ElementNames,
    LineRequest,
    OrderNames,
    OrderRequest,
    Origin,
)

_REFERENCES: Final = {
    "marketId": "market_id",
    "market": "market",
    "pricelistId": "pricelist_id",
    "pricelist": "pricelist",
    "warehouseGroup": "warehouse_group",
    "shippingList": "shipping_uri",
    "deliveryWindow": "delivery_window",
    "accountId": "account_id",
    "buyerId": "buyer_id",
    "customerId": "customer_id",
    "createdFromOrigin": "origin",
    "voucherCodes": "voucher_codes",
    "currency": "currency",
}
"""Parameters that name what the catalog must know."""

_WISHES: Final = {
    "customerRegister": "customer_register",
    "customerSetNewPassword": "customer_set_new_password",
    "buyerName": "buyer_name",
    "extraAttributes": "extra_attributes",
    "shippingValue": "shipping_value",
    "voucherValue": "voucher_value",
    "applyVouchers": "apply_vouchers",
    "orderNumber": "order_number",
    "sendEmail": "send_email",
    "adjustStock": "adjust_stock",
    "forceCreate": "force_create",
    "comment": "comment",
    "internalComment": "internal_comment",
    "poNumber": "po_number",
    "orderDate": "order_date",
    "deliveryDate": "delivery_date",
    "cancelDate": "cancel_date",
    "createOnly": "create_only",
    "internalOrder": "internal_order",
    "payment": "payment",
}
"""All others but the lines and the addresses; what is absent is as the request has it by itself."""


def references_of(values: Mapping[str, Any]) -> OrderNames:
    """What an order names, of the values that could be read."""
    named = {
        _REFERENCES[name]: value
        for name, value in values.items()
        if name in _REFERENCES and value is not None
    }
    if not named:
        return NOTHING_NAMED
    if "voucher_codes" in named:
        named["voucher_codes"] = tuple(named["voucher_codes"])
    if "origin" in named:
        origin = named["origin"]
        named["origin"] = Origin(origin["type"], origin["id"]) if origin.keys() >= {"type", "id"} else None
    return OrderNames(**named)


def order_request(
    values: Mapping[str, Any], lines: Sequence[LineRequest], element_names: ElementNames | None = None
) -> OrderRequest:
    """The request of an order without faults: its lines, and its values by parameter."""
    wishes = {_WISHES[name]: value for name, value in values.items() if name in _WISHES and value is not None}
    if "extra_attributes" in wishes:
        wishes["extra_attributes"] = {k: v for k, v in wishes["extra_attributes"].items() if v != ""}
    return OrderRequest(
        tuple(lines),
        references_of(values),
        _address(first_of(values, "invoiceAddress", "address", "deliveryAddress")),
        _address(first_of(values, "deliveryAddress", "address", "invoiceAddress")),
        element_names=element_names,
        **wishes,
    )


def line_request(values: Mapping[str, Any]) -> LineRequest:
    """The request of a line without faults."""
    text, size = values.get("itemText"), values.get("localizedProdSize")
    if size is not None:
        # The platform's own example has it on the line; what stands where it belongs wins.
        text = {"localizedProdSize": size, **(text or {})}
    return LineRequest(
        quantity=values["qty"],
        item_id=values.get("id"),
        ean=values.get("ean"),
        sku=values.get("sku"),
        unit_price=values.get("unitPrice"),
        original_price=values.get("originalPrice"),
        comment=values.get("comment"),
        item_text=text,
        upc=values.get("upc"),
    )


def first_of(values: Mapping[str, Any], *names: str) -> Any:
    """The first of these values that is there; None if none is."""
    for name in names:
        found = values.get(name)
        if found is not None:
            return found
    return None


def _address(values: Mapping[str, Any] | None) -> Address | None:
    if values is None:
        return None
    return Address(values["country"], values.get("email"), values)
