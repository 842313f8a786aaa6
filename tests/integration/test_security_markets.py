"""Customers, accounts and orders of other markets do not exist for a key that is limited to its own."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.support.orders import order
from tests.support.placed_orders import Shop

AMERICAN = {"country": "US", "state": "CA", "email": "joe@example.com"}
NOBODY = 987_654
UNLIMITED = ""


@pytest.fixture(scope="module")
def american(module_shop: Shop) -> str:
    return module_shop.key_for_markets("American", market(module_shop, "America"))


@pytest.fixture(scope="module")
def european(module_shop: Shop) -> str:
    return module_shop.key_for_markets("European", market(module_shop, "Europe"))


def address(email: str) -> dict[str, str]:
    return {"country": "SE", "email": email}


def market(shop: Shop, name: str) -> int:
    return int(shop.api.rows("SELECT id FROM markets WHERE name = :name", name=name)[0].id)


def place(shop: Shop, key: str, **fields: Any) -> dict[str, Any]:
    headers = {"API_Authorization": key} if key else {}
    accepted = shop.api.post({"k": order(**fields)}, Prefer="respond-async", **headers)
    outcome: dict[str, Any] = shop.settled(accepted.headers["Location"], key or shop.api.key)["k"]
    return outcome


def customer_of(shop: Shop, outcome: dict[str, Any]) -> int:
    [number] = outcome["orders"]
    return int(shop.api.rows("SELECT customer_id FROM orders WHERE number = :n", n=number)[0].customer_id)


def without(outcome: dict[str, Any], named: int) -> str:
    return orjson.dumps(outcome).decode().replace(str(named), "<id>")


def is_reset(shop: Shop, customer: int) -> bool:
    [row] = shop.api.rows("SELECT reset_password FROM customers WHERE id = :id", id=customer)
    return bool(row.reset_password)


def test_a_customer_of_another_market_is_unknown_and_keeps_its_password(
    module_shop: Shop, american: str
) -> None:
    theirs = customer_of(module_shop, place(module_shop, UNLIMITED, customerRegister=True))
    wanted = {"address": AMERICAN, "customerSetNewPassword": True}

    refused = place(module_shop, american, customerId=theirs, **wanted)

    assert refused["code"] == -6
    assert without(refused, theirs) == without(
        place(module_shop, american, customerId=NOBODY, **wanted), NOBODY
    )
    assert not is_reset(module_shop, theirs)


def test_a_customer_is_known_wherever_it_has_an_order(
    module_shop: Shop, american: str, european: str
) -> None:
    own = customer_of(module_shop, place(module_shop, american, address=AMERICAN))

    again = place(module_shop, american, address=AMERICAN, customerId=own, customerSetNewPassword=True)
    elsewhere = place(module_shop, european, customerId=own)
    by_anybody = place(module_shop, UNLIMITED, customerId=own)
    and_then = place(module_shop, european, customerId=own)

    assert (again["status"], elsewhere["code"]) == ("ok", -6)
    assert (by_anybody["status"], and_then["status"]) == ("ok", "ok")
    assert is_reset(module_shop, own)


@pytest.mark.parametrize("by_id", [False, True])
def test_a_limited_key_flags_no_password_of_whom_another_market_had_first(
    module_shop: Shop, american: str, by_id: bool
) -> None:
    email = f"victim-{by_id}@example.com"
    theirs = customer_of(
        module_shop, place(module_shop, UNLIMITED, address=address(email), customerRegister=True)
    )
    wanted = {"address": {**AMERICAN, "email": email}, "customerSetNewPassword": True}

    # By e-mail it goes to whoever is registered; an old number makes an order no older.
    by_email = place(module_shop, american, customerRegister=True, orderNumber=400_000 + by_id, **wanted)
    again = place(
        module_shop, american, **wanted, **({"customerId": theirs} if by_id else {"customerRegister": True})
    )

    assert customer_of(module_shop, by_email) == customer_of(module_shop, again) == theirs
    assert not is_reset(module_shop, theirs)
    # Whoever is limited to nothing may.
    place(module_shop, UNLIMITED, customerId=theirs, customerSetNewPassword=True)
    assert is_reset(module_shop, theirs)


def test_a_limited_key_flags_whom_it_registers_and_whom_its_markets_had_first(
    module_shop: Shop, american: str, european: str
) -> None:
    fields = {"customerRegister": True, "customerSetNewPassword": True}
    made = place(module_shop, american, address={**AMERICAN, "email": "new@example.com"}, **fields)
    both = {**AMERICAN, "email": "own@example.com"}
    own = place(module_shop, american, address=both, customerRegister=True)
    place(module_shop, european, address=address("own@example.com"), customerRegister=True)

    again = place(module_shop, american, address=both, **fields)

    assert customer_of(module_shop, again) == customer_of(module_shop, own)
    assert is_reset(module_shop, customer_of(module_shop, made))
    assert is_reset(module_shop, customer_of(module_shop, own))


def test_an_account_of_another_market_is_unknown_and_shows_nothing(
    module_shop: Shop, american: str, european: str
) -> None:
    [account] = module_shop.api.rows("SELECT id FROM accounts")
    # Without an address of its own the order would be told the account's.
    wanted = {"market": "America", "shippingValue": 0, "address": None, "buyerId": 1}

    refused = place(module_shop, american, accountId=account.id, **wanted)

    assert refused["code"] == -7
    assert without(refused, account.id) == without(
        place(module_shop, american, accountId=NOBODY, **wanted), NOBODY
    )
    # Its address is in one of the other's countries.
    assert place(module_shop, european, accountId=account.id, address=None)["status"] == "ok"


def test_an_account_is_known_where_it_has_ordered(module_shop: Shop, american: str) -> None:
    with module_shop.api.engine.begin() as connection:
        account = connection.exec_driver_sql(
            "INSERT INTO accounts (name) VALUES ('Everywhere AB') RETURNING id"
        ).scalar_one()

    before = place(module_shop, american, address=AMERICAN, accountId=account)
    place(module_shop, UNLIMITED, address=AMERICAN, accountId=account)
    after = place(module_shop, american, address=AMERICAN, accountId=account)

    assert (before["code"], after["status"]) == (-7, "ok")


def test_an_origin_in_another_market_is_unknown(module_shop: Shop, american: str, european: str) -> None:
    [number] = place(module_shop, american, address=AMERICAN)["orders"]

    refused = place(module_shop, european, createdFromOrigin={"type": "order", "id": number})
    unknown = place(module_shop, european, createdFromOrigin={"type": "order", "id": NOBODY})
    own = place(module_shop, american, address=AMERICAN, createdFromOrigin={"type": "order", "id": number})

    assert refused["code"] == -7
    assert without(refused, number) == without(unknown, NOBODY)
    assert own["status"] == "ok"


def test_what_keys_know_stays_apart_in_one_transaction(module_shop: Shop, american: str) -> None:
    theirs = customer_of(module_shop, place(module_shop, UNLIMITED))
    batch = {"a": order(address=AMERICAN, customerId=theirs), "b": order(address=AMERICAN)}

    accepted = module_shop.api.post(batch, Prefer="respond-async", API_Authorization=american)
    outcomes = module_shop.settled(accepted.headers["Location"], american)

    assert (outcomes["a"]["code"], outcomes["b"]["status"]) == (-6, "ok")
