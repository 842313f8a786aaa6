"""The terms of an order, beside its market: account, buyer, delivery window, origin, shipping."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from shared.domain.catalog import Account, DeliveryWindow
from shared.domain.currencies import counted, unit
from shared.domain.locate import Snapshot
from shared.domain.order import NOTHING_NAMED, Address, OrderNames, OrderRequest
from shared.domain.outcome import Fault, quoted
from shared.domain.pricing import ZERO
from shared.domain.reasons import (
    ACCOUNT_UNKNOWN,
    ACCOUNT_WITHOUT_ADDRESS,
    BUYER_UNKNOWN,
    BUYER_WITHOUT_ACCOUNT,
    DELIVERY_WINDOW_UNKNOWN,
    ORDER_UNKNOWN,
    SHIPPING_UNKNOWN,
    SHIPPING_WITHOUT_PRICE,
)
from shared.domain.values import value
from shared.domain.vouchers import code_faults


@value(frozen=True, slots=True)
class Terms:
    """What the order's names stand for; None where it names nothing."""

    account: Account | None = None
    buyer_id: int | None = None
    window: DeliveryWindow | None = None


_NO_TERMS: Final = Terms()


@value(frozen=True, slots=True)
class Shipping:
    """How an order is sent and what for, in its pricelist's currency."""

    uri: str | None
    value: Decimal


def find_terms(names: OrderNames, snapshot: Snapshot) -> tuple[Terms, list[Fault]]:
    """Look up what an order names; a fault for each name that stands for nothing."""
    if names is NOTHING_NAMED:
        return _NO_TERMS, []
    faults: list[Fault] = []
    account = _account(names, snapshot, faults)
    buyer_id = _buyer_id(names, account, faults)
    window = None
    if names.delivery_window is not None:
        window = snapshot.catalog.windows.get(names.delivery_window)
        if window is None:
            msg = f"no delivery window is named {quoted(names.delivery_window)}"
            faults.append(Fault(DELIVERY_WINDOW_UNKNOWN, "/deliveryWindow", msg))
    if names.shipping_uri is not None and names.shipping_uri not in snapshot.catalog.shipping:
        msg = f"no shipping option has URI {quoted(names.shipping_uri)}"
        faults.append(Fault(SHIPPING_UNKNOWN, "/shippingList", msg))
    origin = names.origin
    if origin is not None and origin.type == "order" and origin.id not in snapshot.origins:
        msg = f"no order has number {origin.id}"
        faults.append(Fault(ORDER_UNKNOWN, "/createdFromOrigin/id", msg))
    faults.extend(code_faults(names.voucher_codes, snapshot.catalog.voucher_codes))
    return Terms(account, buyer_id, window), faults


def _account(names: OrderNames, snapshot: Snapshot, faults: list[Fault]) -> Account | None:
    if names.account_id is None:
        return None
    account = snapshot.accounts.get(names.account_id)
    if account is None:
        faults.append(Fault(ACCOUNT_UNKNOWN, "/accountId", f"no account has id {names.account_id}"))
    return account


def _buyer_id(names: OrderNames, account: Account | None, faults: list[Fault]) -> int | None:
    if names.buyer_id is None:
        return account.default_buyer_id if account else None
    if names.account_id is None:
        msg = "is a buyer of an account; send accountId too"
        faults.append(Fault(BUYER_WITHOUT_ACCOUNT, "/buyerId", msg))
    elif account is not None and names.buyer_id not in account.buyers:
        msg = f"account {account.id} has no buyer {names.buyer_id}"
        faults.append(Fault(BUYER_UNKNOWN, "/buyerId", msg, {"accountId": account.id}))
    return names.buyer_id


def addresses(
    request: OrderRequest, account: Account | None
) -> tuple[Address | None, Address | None, list[Fault]]:
    """Invoice and delivery address; an account's default one stands in where none was sent."""
    if request.invoice is not None and request.delivery is not None:
        return request.invoice, request.delivery, []
    if account is None:
        return None, None, []
    missing = address_faults(account)
    address = None if missing else account.address
    return address, address, missing


def address_faults(account: Account) -> list[Fault]:
    """Why an account's default address cannot stand in for one that was not sent, or nothing."""
    if account.address is None:
        return [
            _addressless("/address", f"is required; account {account.id} has no default address", account)
        ]
    if account.address.email is None:
        msg = f"is required; the default address of account {account.id} has none"
        return [_addressless("/address/email", msg, account)]
    return []


def _addressless(pointer: str, msg: str, account: Account) -> Fault:
    return Fault(ACCOUNT_WITHOUT_ADDRESS, pointer, msg, {"accountId": account.id})


def buyer_name(request: OrderRequest, terms: Terms) -> str | None:
    """The buyer's name: as sent, else as the account has it."""
    if request.buyer_name is not None or terms.account is None or terms.buyer_id is None:
        return request.buyer_name
    return terms.account.buyers.get(terms.buyer_id)


def ship(
    request: OrderRequest, country: str, currency: str, snapshot: Snapshot
) -> tuple[Shipping, list[Fault]]:
    """The option that was asked for, else the country's default; its price unless one was sent.

    A default that has no price in the currency does not apply: nobody asked for it.
    """
    uri, sent = request.names.shipping_uri, request.shipping_value
    if sent is not None:
        sent = counted(sent, unit(currency))
    default = snapshot.catalog.country_shipping.get(country)
    if uri is None:
        if default is None or (sent is None and currency not in default.prices):
            return Shipping(None, ZERO if sent is None else sent), []
        return Shipping(default.uri, default.prices[currency] if sent is None else sent), []
    if sent is not None:
        return Shipping(uri, sent), []
    option = snapshot.catalog.shipping.get(uri)
    if option is not None and currency not in option.prices:
        msg = f"shipping option {quoted(uri)} has no price in {currency}; send shippingValue"
        return Shipping(uri, ZERO), [
            Fault(SHIPPING_WITHOUT_PRICE, "/shippingList", msg, {"currency": currency})
        ]
    return Shipping(uri, option.prices[currency] if option else ZERO), []
