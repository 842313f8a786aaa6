"""The campaign's orders: every spelling means the very order that it is judged by."""

from __future__ import annotations

import json
import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bench.shapes import SHAPES
from shared.schemas.order.reading import OrderReader
from tests.faults.goods import UPCS, batch, body_of
from tests.faults.spellings import SPELLINGS, spelt

READER = OrderReader(zone=ZoneInfo("UTC"), max_lines=5_000, strict=False)
SKUS = {code: sku for sku, upc in UPCS.items() for code in (upc, f"0{upc}")}
# The same in the campaign: a kind of its orders, not a spelling of them.
NO_SPELLING = {"own orderNumbers"}


def orders() -> list[dict[str, Any]]:
    chance = random.Random(7)  # noqa: S311 - memorable, not secret
    batches = [batch(chance, "b", poisonous=False, spells=False) for _ in range(12)]
    return [one.order for wanted in batches for one in wanted.values()]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_order_in_any_spelling_is_read_to_what_it_is_judged_by(spelling: str) -> None:
    for order in orders():
        plain = READER.read(json.dumps(order).encode())
        sent = spelt(spelling, order, UPCS)

        read = READER.read(sent.text)

        assert read.ignored == sent.ignored
        assert [fault.code for fault in read.faults] == [fault.code for fault in plain.faults]
        if plain.request is not None:
            assert read.request is not None
            lines = [
                (line.sku or SKUS[line.upc or line.ean or ""], line.quantity) for line in read.request.lines
            ]
            assert lines == [(line["sku"], line["qty"]) for line in order["products"]]
            assert read.request.order_number == order.get("orderNumber")
            assert [code.upper() for code in read.request.names.voucher_codes] == order.get(
                "voucherCodes", []
            )


def test_every_shape_of_the_bench_is_in_the_campaigns_mix() -> None:
    assert set(SHAPES) - NO_SPELLING <= set(SPELLINGS)


def test_the_campaigns_mix_has_every_spelling_and_orders_of_many_lines() -> None:
    chance = random.Random(7)  # noqa: S311 - memorable, not secret
    wanted = [one for _ in range(50) for one in batch(chance, "b", poisonous=False, spells=True).values()]

    assert max(len(one.order["products"]) for one in wanted) > 200
    assert any("orderNumber" in one.order for one in wanted)
    assert {one.ignored for one in wanted} == {(), ("/poNummer", "/tax")}
    sent = b"".join(one.text for one in wanted)
    for sign in (
        b'"deliveryAddress"',
        b'"capture"',
        b'"qty": "',
        b'"payment": []',
        b'" : ',
        b'"upc"',
        b'"Few"',
    ):
        assert sign in sent, sign


def test_a_batchs_body_is_the_texts_under_their_keys() -> None:
    chance = random.Random(7)  # noqa: S311 - memorable, not secret
    wanted = batch(chance, "b", poisonous=False, spells=True)

    assert json.loads(body_of(wanted)) == {key: json.loads(one.text) for key, one in wanted.items()}
