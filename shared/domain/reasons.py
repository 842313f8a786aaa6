"""Reasons for which an order, or a value, is not taken: what machines may group by (contract §4).

One constant each. A released reason never changes its name, its code or what it means; new ones may come.
OpenAPI and docs/reasons.md are made from this list, and a test makes each of them happen.
"""

from __future__ import annotations

from typing import Final

from shared.domain.outcome import Code, Reason

# -- the order is empty -------------------------------------------------------------------------------------

ORDER_EMPTY: Final = Reason("order_empty", Code.EMPTY, "the order has no lines")
SHIPMENT_EMPTY: Final = Reason("shipment_empty", Code.EMPTY, "the shipment names no line")

# -- something is not there ---------------------------------------------------------------------------------

FIELD_MISSING: Final = Reason("field_missing", Code.MISSING, "a required field is absent, null or empty")
ITEM_NOT_NAMED: Final = Reason("item_not_named", Code.MISSING, "a line says nothing of which item it means")
ACCOUNT_WITHOUT_ADDRESS: Final = Reason(
    "account_without_address",
    Code.MISSING,
    "no address was sent, and the account has none, or one without an e-mail",
    params=("accountId",),
)

# -- a value cannot be what it is to be ---------------------------------------------------------------------

NOT_READABLE: Final = Reason(
    "not_readable", Code.GENERAL, "the JSON says the same thing twice, or is nested too deep"
)
NOT_OBJECT: Final = Reason("not_object", Code.GENERAL, "not a JSON object")
NOT_ARRAY: Final = Reason("not_array", Code.GENERAL, "not a JSON array")
NOT_TEXT: Final = Reason("not_text", Code.GENERAL, "not a string")
NOT_WHOLE: Final = Reason("not_whole", Code.GENERAL, "not a whole number")
NOT_BOOLEAN: Final = Reason("not_boolean", Code.GENERAL, "not a boolean")
NOT_MONEY: Final = Reason("not_money", Code.GENERAL, "not an amount of money")
NOT_DATE: Final = Reason("not_date", Code.GENERAL, "not a date, or date and time")
NOT_EMAIL: Final = Reason("not_email", Code.GENERAL, "not an e-mail address")
NOT_COUNTRY: Final = Reason("not_country", Code.GENERAL, "not an ISO 3166 alpha-2 country code")
NOT_CURRENCY: Final = Reason("not_currency", Code.GENERAL, "not an ISO 4217 currency code")
FEED_BEGAN_ANEW: Final = Reason(
    "feed_began_anew", Code.GENERAL, "a place in a feed that is another one, or has begun anew since"
)
NOT_CURSOR: Final = Reason("not_cursor", Code.GENERAL, "not a place in a list that an answer has given")
IS_NULL: Final = Reason("is_null", Code.GENERAL, "null where something may be absent, but not null")
IS_EMPTY: Final = Reason("is_empty", Code.GENERAL, "an empty text where a name or a value belongs")
OUT_OF_RANGE: Final = Reason(
    "out_of_range", Code.GENERAL, "a number that is too small or too large", params=("least", "most")
)
TOO_MANY_DECIMALS: Final = Reason(
    "too_many_decimals", Code.GENERAL, "an amount that its currency cannot write", params=("decimals",)
)
TOO_LONG: Final = Reason("too_long", Code.GENERAL, "a text that is too long", params=("most",))
TOO_MANY: Final = Reason(
    "too_many", Code.GENERAL, "too many lines, elements or members", params=("count", "most")
)
TOO_LARGE: Final = Reason("too_large", Code.GENERAL, "too many bytes", params=("bytes", "most"))
TOO_DEEP: Final = Reason("too_deep", Code.GENERAL, "nested too deep", params=("most",))
PAGE_TOO_LARGE: Final = Reason(
    "page_too_large", Code.GENERAL, "the page asked for would hold too many lines or bytes", params=("most",)
)
NOT_STORABLE: Final = Reason(
    "not_storable", Code.GENERAL, "U+0000, or a number that is too large or too small to be kept"
)
UNKNOWN_VALUE: Final = Reason(
    "unknown_value", Code.GENERAL, "none of the few values that there are", params=("known",)
)
UNKNOWN_FIELD: Final = Reason(
    "unknown_field", Code.GENERAL, "a member or parameter that is none, and was not to be ignored"
)
SENT_TWICE: Final = Reason("sent_twice", Code.GENERAL, "the same thing more than once")
NOT_VALID: Final = Reason("not_valid", Code.GENERAL, "not valid in a way that has no word yet: see msg")

# -- a name stands for nothing, or for what this order cannot have ------------------------------------------

MARKET_UNKNOWN: Final = Reason("market_unknown", Code.GENERAL, "no market has this id or name")
COUNTRY_WITHOUT_MARKET: Final = Reason(
    "country_without_market",
    Code.GENERAL,
    "no market was named, and none sells to the delivery country",
    params=("country",),
)
MARKET_NOT_ALLOWED: Final = Reason(
    "market_not_allowed", Code.GENERAL, "the API key is not for this market", params=("market",)
)
PRICELIST_UNKNOWN: Final = Reason("pricelist_unknown", Code.GENERAL, "no pricelist has this id or name")
CURRENCY_MISMATCH: Final = Reason(
    "currency_mismatch",
    Code.GENERAL,
    "the order counts in another currency than its pricelist",
    params=("currency", "pricelist", "pricelists"),
)
ALLOCATION_RULE_UNKNOWN: Final = Reason(
    "allocation_rule_unknown", Code.GENERAL, "no allocation rule is named so"
)
WAREHOUSE_UNKNOWN: Final = Reason("warehouse_unknown", Code.GENERAL, "no warehouse is named so")
ACCOUNT_UNKNOWN: Final = Reason("account_unknown", Code.GENERAL, "no account has this id")
BUYER_UNKNOWN: Final = Reason(
    "buyer_unknown", Code.GENERAL, "the account has no buyer of this id", params=("accountId",)
)
BUYER_WITHOUT_ACCOUNT: Final = Reason(
    "buyer_without_account", Code.GENERAL, "a buyer is one of an account, and none was named"
)
DELIVERY_WINDOW_UNKNOWN: Final = Reason(
    "delivery_window_unknown", Code.GENERAL, "no delivery window is named so"
)
SHIPPING_UNKNOWN: Final = Reason("shipping_unknown", Code.GENERAL, "no shipping option has this URI")
SHIPPING_WITHOUT_PRICE: Final = Reason(
    "shipping_without_price",
    Code.GENERAL,
    "the shipping option has no price in the order's currency",
    params=("currency",),
)
ORDER_UNKNOWN: Final = Reason(
    "order_unknown", Code.GENERAL, "no order has this number, as far as the API key sees"
)
VOUCHER_UNKNOWN: Final = Reason("voucher_unknown", Code.GENERAL, "no voucher has this code", params=("code",))
VOUCHER_REPEATED: Final = Reason(
    "voucher_repeated", Code.GENERAL, "the voucher is given twice", params=("code",)
)
VOUCHER_NOT_IN_CURRENCY: Final = Reason(
    "voucher_not_in_currency",
    Code.GENERAL,
    "the voucher says nothing of the order's currency",
    params=("code", "currency"),
)
VOUCHER_BELOW_MINIMUM: Final = Reason(
    "voucher_below_minimum",
    Code.GENERAL,
    "the lines come to less than the voucher asks for",
    params=("code", "minimum", "currency"),
)
VOUCHER_INACTIVE: Final = Reason(
    "voucher_inactive", Code.GENERAL, "the voucher is not active", params=("code",)
)
VOUCHER_NOT_YET: Final = Reason(
    "voucher_not_yet",
    Code.GENERAL,
    "the voucher is not valid yet",
    retryable=True,
    params=("code", "from"),
)
VOUCHER_OVER: Final = Reason(
    "voucher_over", Code.GENERAL, "the voucher is no longer valid", params=("code", "to")
)
VOUCHER_NOT_IN_MARKET: Final = Reason(
    "voucher_not_in_market",
    Code.GENERAL,
    "the voucher is not for the order's market",
    params=("code", "market"),
)
VOUCHER_USED_UP: Final = Reason(
    "voucher_used_up", Code.GENERAL, "the voucher has no uses left", params=("code",)
)
TOTAL_TOO_LARGE: Final = Reason(
    "total_too_large", Code.GENERAL, "the order comes to more than one order can", params=("most",)
)
ALREADY_COMPLETED: Final = Reason(
    "already_completed",
    Code.GENERAL,
    "the order is completed: its stock cannot come from elsewhere",
)
ALREADY_SHIPPED: Final = Reason(
    "already_shipped",
    Code.GENERAL,
    "something of the order has shipped: it cannot be cancelled",
    params=("shipped",),
)
ORDER_CANCELLED: Final = Reason("order_cancelled", Code.GENERAL, "the order is cancelled")
ORDER_PREPARED: Final = Reason(
    "order_prepared",
    Code.GENERAL,
    "the order is prepared: nothing ships before it is completed",
    retryable=True,
)
LINE_UNKNOWN: Final = Reason(
    "line_unknown", Code.GENERAL, "the order has no line of this id", params=("lineId",)
)

# -- it is not the order's fault ----------------------------------------------------------------------------

CANCELLED: Final = Reason(
    "cancelled",
    Code.GENERAL,
    "the job was cancelled before the order was decided",
    retryable=True,
)
GIVEN_UP: Final = Reason(
    "given_up",
    Code.GENERAL,
    "each attempt at the order ended its worker, or took too long",
    retryable=True,
    params=("attempts",),
)
NOT_STORED: Final = Reason(
    "not_stored",
    Code.GENERAL,
    "it met a fault of ours: tell us the request's id",
    params=("requestId",),
)
BATCH_REJECTED: Final = Reason(
    "batch_rejected",
    Code.GENERAL,
    "another order of an atomic batch was rejected, and all of it is made or none",
    retryable=True,
    params=("rejected",),
)

TOO_SLOW: Final = Reason(
    "too_slow",
    Code.GENERAL,
    "it took too much of a processor's time to be read and decided",
    params=("seconds",),
)

# -- a product cannot be added ------------------------------------------------------------------------------

ITEM_UNKNOWN: Final = Reason("item_unknown", Code.PRODUCT, "no item has this id or code")
ITEM_AMBIGUOUS: Final = Reason(
    "item_ambiguous", Code.PRODUCT, "the codes of the line mean different items", params=("skus",)
)
ITEM_INACTIVE: Final = Reason("item_inactive", Code.PRODUCT, "the item is not active", params=("sku",))
ITEM_NOT_IN_MARKET: Final = Reason(
    "item_not_in_market", Code.PRODUCT, "the item is not sold in the order's market", params=("sku", "market")
)
PRICE_MISSING: Final = Reason(
    "price_missing",
    Code.PRODUCT,
    "the item has no price in the order's pricelist, and none was sent",
    params=("sku", "pricelist"),
)

# -- customer, number, stock --------------------------------------------------------------------------------

CUSTOMER_UNKNOWN: Final = Reason("customer_unknown", Code.CUSTOMER, "no customer has this id")
NUMBER_TAKEN: Final = Reason(
    "number_taken", Code.NUMBER_TAKEN, "the order number exists", params=("orderNumber",)
)
NUMBER_REPEATED: Final = Reason(
    "number_repeated",
    Code.NUMBER_TAKEN,
    "the order number stands earlier in the same batch",
    params=("orderNumber",),
)
KEY_EXISTS: Final = Reason(
    "key_exists",
    Code.NUMBER_TAKEN,
    "with `uniqueKeys`: the client has made an order under this key before",
    params=("orders",),
)
STOCK_SHORT: Final = Reason(
    "stock_short",
    Code.STOCK,
    "what is available does not cover the order",
    retryable=True,
    params=("wanted", "available", "sku"),
)
BACK_ORDERED: Final = Reason(
    "back_ordered",
    Code.STOCK,
    "units that were to be shipped wait for stock",
    retryable=True,
    params=("lineId", "wanted", "remains", "backOrdered"),
)
MORE_THAN_REMAINS: Final = Reason(
    "more_than_remains",
    Code.STOCK,
    "more units were to be shipped than the line has left",
    params=("lineId", "wanted", "remains"),
)

REASONS: Final[tuple[Reason, ...]] = tuple(one for one in globals().values() if isinstance(one, Reason))
"""All of them, as they stand above."""
