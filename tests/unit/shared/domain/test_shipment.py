"""Shipments: what leaves, what remains, and what is told of what cannot."""

from __future__ import annotations

from typing import Any

from shared.domain.completion import Misread, no_such_order
from shared.domain.outcome import Code, Fault, Rejected
from shared.domain.reasons import NOT_WHOLE
from shared.domain.shipment import (
    AskedShipment,
    Shipment,
    ShipmentRequest,
    ShippingLine,
    ShippingOrder,
    decide_shipments,
)
from tests.support.domain_shop import BRASS_LAMP, MAIN, RED_STOOL, SHOP

LAMPS, STOOLS = 901, 902


def ordered(
    lamps: int = 3, stools_waiting: int = 0, *, state: str = "created", market_id: int = 1
) -> ShippingOrder:
    """Order 7: lamps in two warehouses, and stools, of which those that wait are nowhere."""
    lamp = ShippingLine(LAMPS, 0, "BRASS-LAMP", BRASS_LAMP.id, lamps, 0, 0, [(SHOP, 1), (MAIN, lamps - 1)])
    stool = ShippingLine(STOOLS, 1, "RED-STOOL", RED_STOOL.id, 2, stools_waiting, 0)
    if not stools_waiting:
        stool.reserved = [(MAIN, 2)]
    return ShippingOrder(7, state, market_id, {LAMPS: lamp, STOOLS: stool})


def asked(products: dict[int, int] | None = None, number: int = 7, **said: Any) -> AskedShipment:
    markets = said.pop("market_ids", None)
    return AskedShipment(number, no_such_order(number), ShipmentRequest(products, **said), markets)


def decided(order: ShippingOrder, *wanted: AskedShipment) -> list[Shipment | int | Rejected]:
    return decide_shipments(wanted, {order.number: order})


def left(shipment: Shipment | int | Rejected) -> list[tuple[int, int | None, int]]:
    assert isinstance(shipment, Shipment), shipment
    return [(units.line, units.warehouse_id, units.quantity) for units in shipment.units]


def fault(decision: Shipment | int | Rejected) -> Fault:
    assert isinstance(decision, Rejected), decision
    return decision.faults[0]


def test_units_leave_the_warehouses_where_they_are_reserved_the_first_one_first() -> None:
    whole = ordered()

    first, second = decided(whole, asked({LAMPS: 2}), asked({LAMPS: 1, STOOLS: 2}))

    assert left(first) == [(0, SHOP, 1), (0, MAIN, 1)]
    assert left(second) == [(0, MAIN, 1), (1, MAIN, 2)]
    assert whole.state == "shipped"


def test_without_products_all_that_can_leave_does_and_what_waits_stays() -> None:
    waiting = ordered(stools_waiting=2)

    (shipment,) = decided(waiting, asked())

    assert left(shipment) == [(0, SHOP, 1), (0, MAIN, 2)]
    assert waiting.state == "partially_shipped"


def test_more_than_remains_is_refused_with_what_remains() -> None:
    told = fault(decided(ordered(), asked({LAMPS: 2}), asked({LAMPS: 2}))[1])

    assert (told.code, told.reason.name, told.pointer) == (Code.STOCK, "more_than_remains", "/products/901")
    assert told.params == {"lineId": LAMPS, "wanted": 2, "remains": 1}


def test_what_is_back_ordered_is_refused_with_what_remains() -> None:
    told = [
        fault(decided(ordered(stools_waiting=2), one)[0]) for one in (asked({STOOLS: 1}), asked({STOOLS: 3}))
    ]

    assert [(one.code, one.reason.name) for one in told] == [
        (Code.STOCK, "back_ordered"),
        (Code.STOCK, "more_than_remains"),
    ]
    assert told[0].params == {"lineId": STOOLS, "wanted": 1, "remains": 0, "backOrdered": 2}


def test_an_order_that_waits_whole_and_one_that_has_gone_whole_ship_nothing_more() -> None:
    gone = ordered()
    decided(gone, asked())
    waiting = ordered(stools_waiting=2)
    decided(waiting, asked({LAMPS: 3}))

    assert fault(decided(gone, asked())[0]).reason.name == "more_than_remains"
    assert fault(decided(waiting, asked())[0]).reason.name == "back_ordered"


def test_the_same_reference_is_the_same_shipment_whatever_else_is_said() -> None:
    whole = ordered()
    whole.shipments["earlier"] = 55

    first, again, known, other = decided(
        whole,
        asked({LAMPS: 1}, reference="parcel"),
        asked({LAMPS: 3}, reference="parcel"),
        asked(reference="earlier"),
        asked({LAMPS: 1}, reference="another"),
    )

    assert again is first
    assert known == 55
    assert left(other) == [(0, MAIN, 1)]


def test_what_is_cancelled_or_prepared_does_not_ship() -> None:
    told = [fault(decided(ordered(state=state), asked())[0]) for state in ("cancelled", "prepared")]

    assert [(one.code, one.reason.name) for one in told] == [
        (Code.GENERAL, "order_cancelled"),
        (Code.GENERAL, "order_prepared"),
    ]


def test_a_line_that_is_not_the_orders_is_told_by_its_id() -> None:
    told = fault(decided(ordered(), asked({LAMPS: 1, 77: 1}))[0])

    assert (told.code, told.pointer, told.params) == (Code.GENERAL, "/products/77", {"lineId": 77})


def test_another_markets_order_looks_like_an_unknown_one() -> None:
    hidden = decided(ordered(market_id=2), asked(market_ids=frozenset({1})))
    unknown = decided(ordered(), asked(number=8))

    assert fault(hidden[0]).msg == "no order has number 7"
    assert fault(unknown[0]).msg == "no order has number 8"


def test_what_cannot_be_read_is_told_and_nothing_leaves() -> None:
    whole = ordered()
    misread = Misread((Fault(NOT_WHOLE, "/products/x", "'x' is not the id of a line"),))

    (decision,) = decided(whole, AskedShipment(7, no_such_order(7), misread))

    assert fault(decision).pointer == "/products/x"
    assert whole.state == "created"


def test_an_order_that_takes_no_stock_ships_without() -> None:
    free = ShippingOrder(
        7, "created", 1, {LAMPS: ShippingLine(LAMPS, 0, "BRASS-LAMP", BRASS_LAMP.id, 2, 0, 0)}
    )

    (shipment,) = decided(free, asked())

    assert left(shipment) == [(0, None, 2)]
