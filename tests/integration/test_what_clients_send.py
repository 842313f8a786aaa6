"""What real files have in them, through the API: the outcomes that clients get for a few of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.orders import line, order
from tests.support.parameter_shop import placed

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop


def outcomes(shop: Shop, **orders: Any) -> dict[str, Any]:
    found: dict[str, Any] = shop.place(orders)
    return found


def test_members_that_are_no_parameters_are_told_with_the_outcome_ok_or_not(parameter_shop: Shop) -> None:
    told = outcomes(
        parameter_shop,
        made=order(poNummer="PO-7", tax=None),
        refused=order(line("NO-LAMP"), tax=1),
        prepared=order(line(colour="red"), createOnly=True),
        plain=order(),
    )

    assert (told["made"]["status"], told["made"]["ignored"]) == ("ok", ["/poNummer", "/tax"])
    assert (told["refused"]["code"], told["refused"]["ignored"]) == (-1, ["/tax"])
    assert (told["prepared"]["status"], told["prepared"]["ignored"]) == ("ok", ["/products/0/colour"])
    assert "ignored" not in told["plain"]


def test_what_exporters_write_for_nothing_makes_the_order_that_was_meant(parameter_shop: Shop) -> None:
    found = placed(
        parameter_shop,
        order(
            line(itemText=[], ean="", unitPrice=""),
            payment=[],
            extraAttributes=[],
            deliveryDate="0000-00-00 00:00:00",
            market="",
            sendEmail="",
        ),
    )

    assert (found["payment"], found["extraAttributes"], found["deliveryDate"]) == (None, None, None)
    assert (found["products"][0]["price"], found["market"]) == (50.22, "Europe")


def test_phps_list_with_holes_is_taken_and_its_faults_name_its_places(parameter_shop: Shop) -> None:
    holes = {"1": line(), "3": line("NO-LAMP")}

    told = outcomes(
        parameter_shop,
        taken={**order(), "products": {"1": line(), "7": line()}},
        bad={**order(), "products": holes},
    )

    assert told["taken"]["status"] == "ok"
    assert [error["pointer"] for error in told["bad"]["errors"]] == ["/products/3/sku"]
    assert told["bad"]["msg"].startswith("products[3].sku: ")
