"""Every route × every kind of caller × own and other people's jobs and orders: let in as is declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text

from api.route import Route
from api.routes import routes
from shared.clock import utc_now
from shared.domain.scopes import SCOPES
from shared.persistence.access.keys import create_api_key, make_key, revoke_api_key
from shared.settings import Settings
from tests.support.orders import line, order
from tests.support.placed_orders import Shop, open_shop, told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

ROUTES = {f"{route.method} {route.rule}": route for route in routes()}
KEYED = {name: route for name, route in ROUTES.items() if route.permission.needs_key}
BODIES = {"/v1/stock": b'{"products":[]}'}
AMERICAN = {"country": "US", "state": "CA", "email": "x@example.com"}


@dataclass(frozen=True)
class Ground:
    """A shop with an order and a job of somebody, and keys of every kind."""

    shop: Shop
    owner: str
    job: str
    number: int
    callers: dict[str, str]

    def ask(
        self, method: str, route: Route, header: str = "API-Authorization", key: str = ""
    ) -> TestResponse:
        path = route.rule.replace("<job_id>", self.job).replace("<int:number>", str(self.number))
        headers = {"Prefer": "respond-async", "Content-Type": "application/json"}
        if key:
            headers[header] = f"Bearer {key}" if header == "Authorization" else key
        return self.shop.api.client.open(
            path,
            method=method,
            headers=headers,
            data=BODIES.get(route.rule, b"{}") if method == "POST" else None,
        )


@pytest.fixture(scope="module")
def ground(module_settings: Settings) -> Iterator[Ground]:
    with open_shop(module_settings) as shop:
        engine, now = shop.api.engine, utc_now()
        revoked = create_api_key(engine, "Revoked", SCOPES, None, None, now)
        revoke_api_key(engine, "Revoked", now)
        accepted = shop.api.post({"a": order(line("BRASS-LAMP"))}, Prefer="respond-async")
        outcomes = shop.settled(accepted.headers["Location"])
        unknown = make_key().text
        yield Ground(
            shop=shop,
            owner=shop.api.key,
            job=told(accepted)["id"],
            number=outcomes["a"]["orders"][0],
            callers={
                "nobody": "",
                "malformed": "nonsense",
                "too long": "om_" + "a" * 5000,
                "unknown": unknown,
                "almost": shop.api.key[:-1] + ("A" if shop.api.key[-1] != "A" else "B"),
                "revoked": revoked,
                "expired": create_api_key(
                    engine, "Expired", SCOPES, None, now - timedelta(seconds=1), now - timedelta(days=1)
                ),
                "no scope": create_api_key(engine, "No scope", [], None, None, now),
                **{
                    scope: create_api_key(engine, f"Only {scope}", [scope], None, None, now)
                    for scope in SCOPES
                },
                "every scope": create_api_key(engine, "Every", SCOPES, None, None, now),
            },
        )


UNKNOWN = ("nobody", "malformed", "too long", "unknown", "almost", "revoked", "expired")
KNOWN = ("no scope", *sorted(SCOPES), "every scope")


def may(caller: str, scope: str | None) -> bool:
    return scope is None or caller in {scope, "every scope"}


def test_the_table_has_every_kind_of_caller(ground: Ground) -> None:
    assert set(ground.callers) == {*UNKNOWN, *KNOWN}
    assert {route.permission.scope for route in KEYED.values()} - {None} <= set(SCOPES)


@pytest.mark.parametrize("header", ["API-Authorization", "Authorization"])
@pytest.mark.parametrize(("name", "caller"), list(product(KEYED, UNKNOWN)))
def test_who_is_not_known_is_401_everywhere(ground: Ground, name: str, caller: str, header: str) -> None:
    route = KEYED[name]
    for method in {route.method, "HEAD"} if route.method == "GET" else {route.method}:
        answer = ground.ask(method, route, header, ground.callers[caller])

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert ground.callers[caller].encode() not in answer.data or caller == "nobody"


@pytest.mark.parametrize(("name", "caller"), list(product(KEYED, KNOWN)))
def test_who_is_known_is_let_in_by_scope_alone(ground: Ground, name: str, caller: str) -> None:
    route = KEYED[name]
    for method in {route.method, "HEAD"} if route.method == "GET" else {route.method}:
        status = ground.ask(method, route, key=ground.callers[caller]).status_code

        if not may(caller, route.permission.scope):
            assert status == 403
        elif "<job_id>" in route.rule:
            # It is somebody else's: there is none, except to be seen by those who may see all.
            sees = route.method == "GET" and caller in {"jobs:read-all", "every scope"}
            assert status == (200 if sees else 404)
        else:
            assert status in {200, 202}


@pytest.mark.parametrize("name", [name for name in KEYED if "<job_id>" in name and name.startswith("GET")])
def test_the_owner_of_a_job_sees_it(ground: Ground, name: str) -> None:
    assert ground.ask("GET", KEYED[name], key=ground.owner).status_code == 200


@pytest.mark.parametrize("name", [name for name in KEYED if "<job_id>" in name])
def test_a_job_of_somebody_else_looks_like_none(ground: Ground, name: str) -> None:
    key, method = ground.callers["orders:write"], KEYED[name].method

    foreign = ground.ask(method, KEYED[name], key=key)
    unknown = replace(ground, job=ground.job[:-4] + "0000").ask(method, KEYED[name], key=key)

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert foreign.status_code == 404


@pytest.mark.parametrize("name", [name for name in ROUTES if name not in KEYED])
@pytest.mark.parametrize("caller", [*UNKNOWN, *KNOWN])
def test_open_routes_do_not_look_at_the_key(ground: Ground, name: str, caller: str) -> None:
    with statements_of(ground) as statements:
        status = ground.ask("GET", ROUTES[name], key=ground.callers[caller]).status_code

    # /readyz: there is no worker.
    assert status == (503 if name == "GET /readyz" else 200)
    assert not any("api_keys" in statement for statement in statements)


@pytest.mark.parametrize("name", ROUTES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "X-ANY"])
def test_a_method_that_a_route_has_not_is_405_and_does_nothing(
    ground: Ground, name: str, method: str
) -> None:
    declared = {route.method for route in routes() if route.rule == ROUTES[name].rule}
    if method in declared:
        return
    before = ground.shop.api.job_count()

    answer = ground.ask(method, ROUTES[name], key=ground.callers["every scope"])

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= declared
    assert ground.shop.api.job_count() == before


def test_every_rule_of_the_app_is_in_the_table(ground: Ground) -> None:
    rules = ground.shop.api.client.application.url_map.iter_rules()

    assert {
        f"{method} {rule.rule}" for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    } == set(ROUTES)


def test_an_order_of_another_market_cannot_be_completed_and_looks_like_none(ground: Ground) -> None:
    shop = ground.shop
    prepared = shop.place({"p": order(line("OAK-TABLE"), createOnly=True, forceCreate=True)})["p"]["order"]
    thief = shop.key_for_markets("Thief", market(ground, "America"))
    complete = KEYED["POST /v1/order/<int:number>"]

    for key, others in ((thief, prepared), (thief, 999_999)):
        stolen = Ground(shop, ground.owner, ground.job, others, {}).ask("POST", complete, key=key)
        outcome = shop.settled(stolen.headers["Location"], key)
        assert (outcome["status"], outcome["code"]) == ("no", -7)
        assert "no order has number" in outcome["msg"]
    assert shop.api.rows("SELECT state FROM orders WHERE number = :n", n=prepared) == [("prepared",)]


@pytest.fixture(scope="module")
def european(ground: Ground) -> str:
    return ground.shop.key_for_markets("European", market(ground, "Europe"))


def market(ground: Ground, name: str) -> int:
    return int(ground.shop.api.rows("SELECT id FROM markets WHERE name = :name", name=name)[0].id)


def place(ground: Ground, key: str, batch: dict[str, Any]) -> dict[str, Any]:
    accepted = ground.shop.api.post(batch, Prefer="respond-async", API_Authorization=key)
    return ground.shop.settled(accepted.headers["Location"], key)


@pytest.mark.parametrize(
    "named",
    [
        {"address": AMERICAN},
        {"market": "America"},
        {"marketId": 2},
        {"address": AMERICAN, "market": "America"},
    ],
)
def test_a_key_of_a_market_creates_no_order_in_another(
    ground: Ground, european: str, named: dict[str, Any]
) -> None:
    outcomes = place(
        ground, european, {"no": {**order(line("BRASS-LAMP")), **named}, "ok": order(line("BRASS-LAMP"))}
    )

    assert (outcomes["no"]["status"], outcomes["no"]["code"]) == ("no", -7)
    assert outcomes["ok"]["status"] == "ok"


def test_a_key_of_a_market_sees_its_orders_alone(ground: Ground, european: str) -> None:
    sent = order(), order(address=AMERICAN, market="America")
    here, there = (place(ground, ground.owner, {"a": one})["a"]["orders"][0] for one in sent)

    seen = ground.shop.numbers("?limit=1000", european)

    assert here in seen
    assert there not in seen
    assert ground.shop.numbers(f"?order={there}", european) == []
    assert there in ground.shop.numbers("?limit=1000")


def test_a_key_that_lost_a_market_cannot_complete_its_orders_there(ground: Ground) -> None:
    key = ground.shop.key_for_markets("Both", market(ground, "Europe"), market(ground, "America"))
    american = order(address=AMERICAN, market="America", createOnly=True)
    number = place(ground, key, {"p": american})["p"]["order"]
    with ground.shop.api.engine.begin() as connection:
        connection.execute(
            text("UPDATE api_keys SET market_ids = :ids WHERE name = 'Both'"),
            {"ids": [market(ground, "Europe")]},
        )

    complete = KEYED["POST /v1/order/<int:number>"]
    accepted = Ground(ground.shop, key, ground.job, number, {}).ask("POST", complete, key=key)
    outcome = ground.shop.settled(accepted.headers["Location"], key)

    assert (outcome["status"], outcome["code"]) == ("no", -7)
    assert ground.shop.numbers(f"?order={number}", key) == []


def test_a_key_of_a_market_neither_sees_nor_sets_stock_of_others(ground: Ground) -> None:
    american = ground.shop.key_for_markets("American", market(ground, "America"))
    # The stool is sold in Europe alone.
    seen = told(ground.shop.api.get("/v1/stock?limit=1000", american))
    assert "RED-STOOL" not in str(seen)
    assert "BRASS-LAMP" in str(seen)

    before = ground.shop.api.rows("SELECT sum(physical) FROM stock")
    answer = ground.shop.api.client.post(
        "/v1/stock",
        json={"products": [{"product": "RED-STOOL", "warehouse": "Main", "quantity": 77}]},
        headers={"API-Authorization": american},
    )
    assert answer.status_code == 200
    assert told(answer)["status"] == "no"
    assert ground.shop.api.rows("SELECT sum(physical) FROM stock") == before


@pytest.mark.parametrize("caller", [*UNKNOWN[1:], "orders:read"])
def test_telling_who_is_not_known_takes_the_same_queries_as_telling_who_is(
    ground: Ground, caller: str
) -> None:
    ground.shop.api.get("/v1/limits", ground.owner)

    with statements_of(ground) as statements:
        ground.shop.api.get("/v1/limits", ground.callers[caller])

    assert len(statements) == 1
    assert re.search(r"FROM api_keys \nWHERE api_keys.prefix", statements[0])


@contextmanager
def statements_of(ground: Ground) -> Iterator[list[str]]:
    """Note every statement that the API runs within the block."""
    statements: list[str] = []
    parts = ground.shop.api.apps[0].extensions["ordermill"]
    listener = lambda *call: statements.append(call[2])  # noqa: E731 - it is removed by its name
    engines = (parts.engine, parts.keys_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", listener)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", listener)
