"""The spellings in which real clients send one and the same order: its text, and what is ignored of it."""

from __future__ import annotations

import json
import unicodedata
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

Order = dict[str, Any]


@dataclass(frozen=True)
class Spelt:
    """An order's text, and the pointers that its outcome must tell as ignored."""

    text: bytes
    ignored: tuple[str, ...] = ()


def _two_addresses(order: Order) -> Order:
    address = order.pop("address")
    return {**order, "invoiceAddress": address, "deliveryAddress": {**address, "email": "n/a"}}


def _dates_and_payment(order: Order) -> Order:
    paid = {"status": 1, "amount": "40.33", "transaction": "t-1", "method": "card"}
    return {
        **order,
        "orderDate": "2026-11-23 10:15:00 +0200",
        "deliveryDate": "2026-11-27",
        "payment": {"id": 3, "auth": paid, "capture": paid},
        "poNumber": "PO-2026-11",
        "comment": "Leave it at the neighbour's",
    }


def _numbers_as_text(order: Order) -> Order:
    made = {**order, "products": [{**line, "qty": str(line["qty"])} for line in order["products"]]}
    if "orderNumber" in order:
        made["orderNumber"] = str(order["orderNumber"])
    return {**made, "shippingValue": "4.90", "sendEmail": "false"}


def _nulls_and_empty_lists(order: Order) -> Order:
    nothing: Order = {"id": None, "ean": "", "comment": None, "itemText": [], "unitPrice": ""}
    return {
        "deliveryAddress": None,
        "payment": [],
        "extraAttributes": [],
        "orderDate": "0000-00-00 00:00:00",
        "voucherCodes": [],
        "shippingValue": "",
        "market": "",
        **order,
        "products": [{**line, **nothing} for line in order["products"]],
    }


def _attributes_and_unknown_members(order: Order) -> Order:
    attributes = {"channel": "web", "weight": 1.25, "tags": ["gift"], "fit": {"heel": "low"}}
    return {**order, "extraAttributes": attributes, "poNummer": "PO-7", "tax": None}


def _list_with_holes(order: Order) -> Order:
    # PHP's; an empty list stays one.
    lines = {str(2 * n + 1): line for n, line in enumerate(order["products"])}
    return {**order, "products": lines or []}


def _names_in_nfd(order: Order) -> Order:
    lines = [{**line, "sku": unicodedata.normalize("NFD", line["sku"])} for line in order["products"]]
    return {**order, "products": lines}


def _vouchers_in_another_case(order: Order) -> Order:
    return {**order, "voucherCodes": [code.capitalize() for code in order.get("voucherCodes", [])]}


_CHANGED: Final[dict[str, Callable[[Order], Order]]] = {
    "one address": lambda order: order,
    "two addresses": _two_addresses,
    "dates, payment, poNumber, comment": _dates_and_payment,
    "numbers as text": _numbers_as_text,
    "nulls and []": _nulls_and_empty_lists,
    "extraAttributes, an unknown member": _attributes_and_unknown_members,
    "pretty-printed": lambda order: order,
    "a list with holes": _list_with_holes,
    "names in NFD": _names_in_nfd,
    "vouchers in another case": _vouchers_in_another_case,
    "upc": lambda order: order,
}
SPELLINGS: Final = tuple(_CHANGED)
_IGNORED: Final = {"extraAttributes, an unknown member": ("/poNummer", "/tax")}


def spelt(spelling: str, order: Order, upcs: Mapping[str, str]) -> Spelt:
    """Give an order in one of ``SPELLINGS``; ``upcs`` are the codes of the SKUs that have one."""
    made = _CHANGED[spelling](deepcopy(order))
    if spelling == "upc":
        made["products"] = [_by_upc(n, line, upcs) for n, line in enumerate(made["products"])]
    if spelling == "pretty-printed":
        text = json.dumps(made, indent=4, separators=(",", " : "))
    else:
        text = json.dumps(made, ensure_ascii=spelling != "names in NFD")
    return Spelt(text.encode(), _IGNORED.get(spelling, ()))


def spelt_by_chance(chance: random.Random, order: Order, upcs: Mapping[str, str]) -> Spelt:
    """Give an order in one of them; each is as likely."""
    return spelt(chance.choice(SPELLINGS), order, upcs)


def _by_upc(number: int, line: Order, upcs: Mapping[str, str]) -> Order:
    if line["sku"] not in upcs:
        return line
    code = upcs[line["sku"]]
    # A UPC, and the EAN that it is.
    return {"qty": line["qty"], **({"upc": code} if number % 2 else {"ean": f"0{code}"})}
