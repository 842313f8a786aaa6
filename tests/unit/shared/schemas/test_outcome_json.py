"""Outcomes as the seed writes them (contract §3 and 4)."""

from __future__ import annotations

import json

from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import Creatable, Created, Fault, Prepared, reject
from shared.domain.reasons import STOCK_SHORT
from shared.domain.rejections import given_up
from shared.schemas.outcome import keyed_outcomes_json, outcome_json


def test_a_created_order_tells_its_numbers() -> None:
    assert outcome_json(Created((1234, 1235))) == {"status": "ok", "orders": [1234, 1235]}


def test_a_prepared_order_tells_its_number() -> None:
    assert outcome_json(Prepared(1234)) == {"status": "ok", "order": 1234}


def test_what_a_dry_run_could_create_has_no_number() -> None:
    assert outcome_json(Creatable(("/x",))) == {"status": "ok", "ignored": ["/x"]}


SHORT = {"wanted": 3, "available": 1, "sku": "X"}


def test_a_rejected_order_tells_code_message_pointers_and_whether_to_try_again() -> None:
    rejected = reject([Fault(STOCK_SHORT, "/products/0", "3 wanted, 1 available of SKU 'X'", SHORT)])

    assert outcome_json(rejected) == {
        "status": "no",
        "code": -2,
        "msg": "products[0]: 3 wanted, 1 available of SKU 'X'",
        "retryable": True,
        "errors": [
            {
                "pointer": "/products/0",
                "reason": "stock_short",
                "msg": "3 wanted, 1 available of SKU 'X'",
                "params": SHORT,
            }
        ],
    }


def test_an_order_that_ended_its_worker_says_so_for_machines_too() -> None:
    told = outcome_json(given_up(5))

    assert (told["code"], told["retryable"]) == (-7, True)
    assert [(error["reason"], error["params"]) for error in told["errors"]] == [("given_up", {"attempts": 5})]


def test_keys_come_back_as_sent_and_in_their_order() -> None:
    keys = ["z", "", "\x00", "å", "🙂", "a" * 1000, "1", "a\u2028b", '"\\']

    raw = keyed_outcomes_json((key, Created((i,))) for i, key in enumerate(keys, start=1))

    assert list(json.loads(raw)) == keys
    assert raw.startswith(b'{"z":{"status":"ok","orders":[1]},')


def test_the_largest_number_is_an_integer_that_every_client_reads() -> None:
    raw = keyed_outcomes_json([("a", Created((MOST_NUMBER,)))])

    assert (
        json.loads(raw, parse_int=float)
        == json.loads(raw)
        == {"a": {"status": "ok", "orders": [9007199254740991]}}
    )
