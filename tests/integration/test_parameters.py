"""Every parameter of contract §6, row by row: accepted in each form and read back, defaulted, refused.

The rows stand in ``parameter_table``. All orders that should be accepted are sent in one batch and all that
should not in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from marshmallow import Schema, fields

from shared.schemas.order.declaration import OrderSchema
from tests.support.orders import order
from tests.support.parameter_shop import numbers_of
from tests.support.parameter_table import ABSENT, TABLE, TAKEN_NUMBER, Absent, Row

if TYPE_CHECKING:
    from tests.support.placed_orders import Shop

# What two orders that were sent alike do not share.
ITS_OWN = {"orderId", "key", "batchKey", "createdAt", "modifiedAt", "orderDate", "customerId"}

every_row = pytest.mark.parametrize(
    ("row", "at"), [pytest.param(row, at, id=f"{row.pointer} ({at})") for at, row in enumerate(TABLE)]
)


@dataclass(frozen=True)
class Answers:
    """What came of the two batches, by key, and the accepted orders as they are read back, by number."""

    accepted: dict[str, Any]
    refused: dict[str, Any]
    orders: dict[int, Any]

    def read(self, key: str) -> dict[str, Any]:
        [number] = numbers_of(self.accepted[key])
        found: dict[str, Any] = self.orders[number]
        return found


@pytest.fixture(scope="module")
def shop(parameter_shop: Shop) -> Shop:
    parameter_shop.place({"first": order(orderNumber=TAKEN_NUMBER)})
    return parameter_shop


@pytest.fixture(scope="module")
def answers(shop: Shop) -> Answers:
    accepted: dict[str, Any] = {}
    refused: dict[str, Any] = {}
    for at, row in enumerate(TABLE):
        accepted |= {f"{at}.{n}": row.order(takes.sent, takes.beside) for n, takes in enumerate(row.takes)}
        batch = refused if isinstance(row.absent, Absent) else accepted
        batch |= {f"{at} absent": row.order(ABSENT), f"{at} null": row.order(None)}
        refused |= {f"{at}.{n}": row.order(bad.sent, bad.beside) for n, bad in enumerate(row.refuses)}
    outcomes = shop.place(accepted), shop.place(refused)
    every = "?state=created,prepared&limit=500"
    pages = [shop.orders(f"{every}&offset={offset}") for offset in range(0, len(accepted) + 1, 500)]
    return Answers(*outcomes, {found["orderId"]: found for page in pages for found in page})


def told(found: Any, name: str) -> Any:
    for step in name.split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


@every_row
def test_each_form_of_a_parameter_is_accepted_and_read_back(answers: Answers, row: Row, at: int) -> None:
    for n, takes in enumerate(row.takes):
        found = answers.read(f"{at}.{n}")

        assert {name: told(found, name) for name in takes.told} == takes.told, takes.sent


@every_row
def test_what_is_not_sent_has_its_default_or_its_code_and_null_is_the_same(
    answers: Answers, row: Row, at: int
) -> None:
    if isinstance(row.absent, Absent):
        rejections = [answers.refused[f"{at} {how}"] for how in ("absent", "null")]
        assert rejections[0]["code"] == row.absent.code
        assert row.absent.pointer in pointers(rejections[0])
        assert rejections[0] == rejections[1]
        return

    absent, null = answers.read(f"{at} absent"), answers.read(f"{at} null")

    assert {name: told(absent, name) for name in row.absent} == row.absent
    assert without_its_own(absent) == without_its_own(null)


@every_row
def test_a_bad_value_is_refused_with_its_code_its_place_and_its_name(
    answers: Answers, row: Row, at: int
) -> None:
    for n, bad in enumerate(row.refuses):
        outcome = answers.refused[f"{at}.{n}"]

        assert (outcome["status"], outcome["code"]) == ("no", bad.code), outcome
        assert (row.pointer if bad.at is None else bad.at) in pointers(outcome)
        assert bad.name in outcome["msg"]
        assert outcome["retryable"] is (bad.code == -2)
        # A sentence, not a dump.
        assert len(outcome["msg"]) < 1_000


def test_nothing_of_a_refused_order_exists(shop: Shop, answers: Answers) -> None:
    created = [number for outcome in answers.accepted.values() for number in numbers_of(outcome)]
    created.append(TAKEN_NUMBER)

    numbers = [row.number for row in shop.api.rows("SELECT number FROM orders")]

    assert sorted(numbers) == sorted(created)
    assert {outcome["status"] for outcome in answers.refused.values()} == {"no"}
    [stock] = shop.api.rows(
        "SELECT (SELECT sum(allocated) FROM stock) AS said, (SELECT sum(quantity) FROM allocations) AS held"
    )
    assert stock.said == stock.held


def test_every_parameter_that_the_schema_knows_has_a_row() -> None:
    schema = OrderSchema(zone=ZoneInfo("UTC"), max_lines=1)

    assert {row.pointer for row in TABLE} == set(parameters(schema))


def parameters(schema: Schema, parent: str = "") -> Iterator[str]:
    for name, field in schema.fields.items():
        yield f"{parent}/{name}"
        several = isinstance(field, fields.List)
        one = field.inner if isinstance(field, fields.List) else field
        if isinstance(one, fields.Nested):
            assert isinstance(one.schema, Schema)
            yield from parameters(one.schema, f"{parent}/{name}/0" if several else f"{parent}/{name}")


def pointers(outcome: dict[str, Any]) -> set[str]:
    return {error["pointer"] for error in outcome["errors"]}


def without_its_own(found: dict[str, Any]) -> dict[str, Any]:
    lines = [{name: line[name] for name in line if name != "lineId"} for line in found["products"]]
    return {**{name: found[name] for name in found if name not in ITS_OWN}, "products": lines}
