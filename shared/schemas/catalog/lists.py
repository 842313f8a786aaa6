"""One marshmallow schema for each list of the catalog file (contract §7).

Of a row only that is required by which it is known. What else a new row must have is ``needed``: only the
database can tell which rows are new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, pre_load, validates_schema
from marshmallow.validate import OneOf

from shared.domain import catalog_file as rows
from shared.domain.catalog import SplitBy
from shared.schemas.catalog.fields import (
    AmountsByCurrency,
    ByName,
    CatalogCurrency,
    Name,
    Percent,
    Several,
    Until,
)
from shared.schemas.fields import Amount, Country, Email, Flag, Moment, Text, Whole
from shared.schemas.order.address import AddressSchema
from shared.schemas.order.sent import WrongTogether

# Given ids stay clear of the end of what the database counts to, so that it can go on from them.
_MOST_ID: Final = 2_000_000_000
_MOST_ITEM_ID: Final = 9_000_000_000_000_000
_MOST_UNITS: Final = 2_147_483_647


def _id(most: int = _MOST_ID) -> Whole:
    return Whole(least=1, most=most, load_default=None)


def _needed() -> dict[str, Any]:
    """What a new row must have, and no row can clear."""
    return {"load_default": None, "metadata": {"needed": True}}


def without_nulls(schema: Schema, raw: Any) -> Any:
    """Leave out the members that ``null`` clears, so that each has its default. Raises ValidationError."""
    if not isinstance(raw, dict) or None not in raw.values():
        return raw
    known = {field.data_key or name: field for name, field in schema.fields.items()}
    nulls = [name for name, value in raw.items() if value is None and name in known]
    lost = [name for name in nulls if known[name].metadata.get("needed")]
    if lost:
        told = "is null, and cannot be cleared; write a value, or leave it out"
        raise ValidationError({name: [told] for name in lost})
    cleared = {name for name in nulls if not (known[name].required or known[name].allow_none)}
    return {name: value for name, value in raw.items() if name not in cleared}


class WarehouseSchema(Schema):
    """Where stock is."""

    id = _id()
    name = Name(required=True)
    threshold = Whole(least=0, most=_MOST_UNITS, load_default=0)


class AllocationRuleSchema(Schema):
    """From which warehouses an order is taken."""

    id = _id()
    name = Name(required=True)
    warehouses = Several(Name(), **_needed())
    split = Text(
        most=20,
        load_default="none",
        validate=OneOf(
            [split.value for split in SplitBy],
            error="'{input}' is no kind of split; write one of: {choices}",
        ),
    )


class PricelistSchema(Schema):
    """A list of prices in one currency."""

    id = _id()
    name = Name(required=True)
    currency = CatalogCurrency(**_needed())


class ShippingOptionSchema(Schema):
    """A way to ship; the default for its countries, perhaps."""

    id = _id()
    uri = Name(required=True)
    name = Text(most=200, filled=True, **_needed())
    countries = Several(Country(), **_needed())
    is_default = Flag(data_key="default", load_default=False)
    prices = AmountsByCurrency(data_key="price", load_default=dict, allow_none=True)


class MarketSchema(Schema):
    """Where is sold, at which prices, from which warehouses."""

    id = _id()
    name = Name(required=True)
    countries = Several(Country(), filled=False, load_default=())
    pricelist = Name(**_needed())
    allocation_rule = Name(data_key="allocationRule", **_needed())


class ItemSchema(Schema):
    """One sellable size of a product."""

    id = _id(_MOST_ITEM_ID)
    sku = Name(required=True)
    ean = Name(most=64, load_default=None)
    upc = Name(most=64, load_default=None)
    product = Text(most=500, load_default="")
    variant = Text(most=500, load_default="")
    size = Text(most=500, load_default="")
    brand = Text(most=500, load_default="")
    active = Flag(load_default=True)
    markets = Several(Name(), filled=False, load_default=None)
    prices = ByName(Amount(), load_default=dict, allow_none=True)
    stock = ByName(Whole(least=0, most=_MOST_UNITS), load_default=dict, allow_none=True)


def _check_order(row: Mapping[str, Any]) -> None:
    """Refuse an end that is not after the beginning. Raises ValidationError."""
    starts, ends = row["starts_at"], row["ends_at"]
    if starts is not None and ends is not None and ends <= starts:
        raise ValidationError("is not after from", "to")


class CampaignSchema(Schema):
    """A percentage off some items for a while. ``zone`` is that of dates that name none."""

    id = _id()
    name = Name(required=True)
    pricelist = Name(**_needed())
    percent = Percent(**_needed())
    starts_at = Moment(data_key="from", load_default=None)
    ends_at = Until(data_key="to", load_default=None)
    skus = Several(Name(), **_needed())

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self.zone = zone

    @validates_schema
    def _check(self, campaign: dict[str, Any], **_: Any) -> None:
        _check_order(campaign)


class CatalogVoucherSchema(Schema):
    """A percentage or an amount off an order, by code or by itself. ``zone`` as for campaigns."""

    id = _id()
    code = Name(load_default=None)
    name = Name(load_default=None)
    automatic = Flag(load_default=False)
    percent = Percent(load_default=None)
    amounts = AmountsByCurrency(data_key="amount", load_default=None)
    minimums = AmountsByCurrency(data_key="minimum", load_default=None)
    uses = Whole(least=0, most=_MOST_UNITS, load_default=None)
    active = Flag(load_default=True)
    starts_at = Moment(data_key="from", load_default=None)
    ends_at = Until(data_key="to", load_default=None)
    markets = Several(Name(), filled=False, load_default=None)

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self.zone = zone

    @validates_schema
    def _check(self, voucher: dict[str, Any], **_: Any) -> None:
        if voucher["code"] is None and voucher["name"] is None:
            raise ValidationError("has neither a code nor a name; give it one", "code")
        if voucher["percent"] is not None and voucher["amounts"] is not None:
            raise ValidationError("a voucher has either percent or amount", "percent")
        _check_order(voucher)


class BuyerSchema(Schema):
    """A person who orders for an account."""

    id = _id()
    name = Name(**_needed())
    is_default = Flag(data_key="default", load_default=False)

    @pre_load
    def _without_nulls(self, raw: Any, **_: Any) -> Any:
        return without_nulls(self, raw)

    @post_load(pass_original=True)
    def _row(self, buyer: dict[str, Any], original: Mapping[str, Any], **_: Any) -> rows.BuyerRow:
        return rows.BuyerRow(frozenset(original), **buyer)

    @validates_schema
    def _check(self, buyer: dict[str, Any], **_: Any) -> None:
        if buyer["id"] is None and buyer["name"] is None:
            raise ValidationError("has neither a name nor an id; give it a name", "name")


class AccountAddressSchema(AddressSchema):
    """An account's default address: the only one of the orders that it stands in for.

    Whether it has its country and state is seen once it has been put on what the account has.
    """

    email = Email(allow_none=True)
    country = Country()

    @post_load(pass_original=True)
    def _cleared(self, address: dict[str, Any], original: Any, **_: Any) -> dict[str, Any]:
        cleared = (name for name, value in dict(original).items() if value is None and name in self.fields)
        return {**address, **dict.fromkeys(cleared)}

    def wrong_together(self, _values: Mapping[str, Any], _sent: Any) -> Iterator[WrongTogether]:
        """No state is missing yet."""
        yield from ()


class AccountSchema(Schema):
    """A B2B customer."""

    id = _id()
    name = Name(required=True)
    address = fields.Nested(AccountAddressSchema(unknown=RAISE), load_default=None)
    buyers = fields.List(fields.Nested(BuyerSchema), load_default=(), allow_none=True)

    @validates_schema
    def _check(self, account: dict[str, Any], **_: Any) -> None:
        buyers = account["buyers"] or ()
        defaults = [at for at, buyer in enumerate(buyers) if buyer.is_default]
        if len(defaults) > 1:
            _refuse_buyer(defaults[1], "default", f"buyers[{defaults[0]}] is the default already")
        ids = [buyer.id for buyer in buyers]
        for at, buyer_id in enumerate(ids):
            if buyer_id is not None and ids.index(buyer_id) != at:
                _refuse_buyer(at, "id", f"{buyer_id} is the id of buyers[{ids.index(buyer_id)}] already")


def _refuse_buyer(at: int, field: str, fault: str) -> NoReturn:
    raise ValidationError({"buyers": {at: {field: [fault]}}})


class DeliveryWindowSchema(Schema):
    """When a B2B order is delivered."""

    id = _id()
    name = Name(required=True)
    preorder = Flag(load_default=False)


@dataclass(frozen=True)
class ListOf:
    """One list of the file: its rows' noun, schema and type, and the fields that are unique in it."""

    noun: str
    schema: Schema
    row: Callable[..., Any]
    unique: tuple[str, ...] = ("name", "id")


def catalog_lists(zone: ZoneInfo) -> Mapping[str, ListOf]:
    """List the lists by their names in the file, each after those that it refers to."""
    return {
        "warehouses": ListOf("a warehouse", WarehouseSchema(), rows.WarehouseRow),
        "allocationRules": ListOf("an allocation rule", AllocationRuleSchema(), rows.AllocationRuleRow),
        "pricelists": ListOf("a pricelist", PricelistSchema(), rows.PricelistRow),
        "shippingOptions": ListOf(
            "a shipping option", ShippingOptionSchema(), rows.ShippingOptionRow, ("uri", "id")
        ),
        "markets": ListOf("a market", MarketSchema(), rows.MarketRow),
        "items": ListOf("an item", ItemSchema(), rows.ItemRow, ("sku", "id", "ean", "upc")),
        "campaigns": ListOf("a campaign", CampaignSchema(zone), rows.CampaignRow),
        "vouchers": ListOf("a voucher", CatalogVoucherSchema(zone), rows.VoucherRow, ("code", "name", "id")),
        "accounts": ListOf("an account", AccountSchema(), rows.AccountRow),
        "deliveryWindows": ListOf("a delivery window", DeliveryWindowSchema(), rows.DeliveryWindowRow),
    }
