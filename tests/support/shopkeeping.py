"""A shop that is used at random over HTTP, and a naive model of its stock that must agree with it."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import httpx
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from cli.servers import open_servers
from shared.persistence.core.database import open_database
from shared.settings import Settings
from tests.support.catalog_files import load
from tests.support.invariants import broken_invariants
from tests.support.orders import ADDRESS
from tests.support.stack import Stack

if TYPE_CHECKING:
    from sqlalchemy import Engine

HOUSES = ("Attic", "Cellar")
RULES = {"Together": "none", "By house": "warehouse", "By day": "availability"}
THINGS = ("LAMP", "STOOL", "KETTLE")
RUNS = count(1)

Line = tuple[str, int]

lines = st.lists(st.tuples(st.sampled_from(THINGS), st.integers(1, 4)), min_size=1, max_size=3)
cents = st.integers(0, 2_500).map(lambda n: f"{n / 100:.2f}")
wishes = st.fixed_dictionaries(
    {
        "warehouseGroup": st.sampled_from(sorted(RULES)),
        "shippingValue": cents,
        "voucherValue": cents,
        "createOnly": st.sampled_from([False, False, True]),
        "forceCreate": st.sampled_from([False, False, True]),
        "adjustStock": st.sampled_from([True, True, True, False]),
    }
)
# What is wrong with a bad order, and the code that it gets whatever else it says.
BAD: dict[int, dict[str, Any]] = {
    -3: {"products": []},
    -4: {"address": {"country": "SE"}},
    -7: {"market": "Atlantis"},
    -1: {"products": [{"sku": "NO-SUCH-THING", "qty": 1, "unitPrice": None}]},
    -6: {"customerId": 9_007_199_254_740_991},
}
orders = st.tuples(lines, wishes, st.none() | st.none() | st.none() | st.sampled_from(sorted(BAD)))


class Shopkeeping(RuleBasedStateMachine):
    """Batches, completions, counts of stock and questions; one run has things of its own to sell.

    A batch's orders race for what there is, so nothing that is drawn may depend on what came of them: a rule
    that has nothing to work on does nothing.
    """

    def __init__(self, client: httpx.Client, engine: Engine) -> None:
        super().__init__()
        self.client = client
        self.engine = engine
        self.name = f"RUN{next(RUNS)}"
        self.physical: dict[tuple[str, str], int] = {}
        self.held: Counter[tuple[str, str]] = Counter()
        self.waiting: list[tuple[int, int, str, int]] = []
        """Lines that wait: the order's number, the line's place in it, the thing, and how many."""
        self.prepared: dict[int, tuple[list[Line], dict[str, Any]]] = {}
        self.completed: dict[int, list[int]] = {}
        self.answers: dict[str, bytes] = {}

    def sku(self, thing: str) -> str:
        return f"{self.name}-{thing}"

    def free(self, thing: str) -> int:
        return sum(self._free_at(thing, house) for house in HOUSES)

    @initialize(units=st.lists(st.integers(0, 6), min_size=6, max_size=6))
    def set_up_stock(self, units: list[int]) -> None:
        places = [(thing, house) for thing in THINGS for house in HOUSES]
        self.physical = dict(zip(places, units, strict=True))
        items = [
            {
                "sku": self.sku(thing),
                "ean": f"{self.sku(thing)}-EAN",
                "prices": {"EUR": "10.01"},
                "stock": {house: self.physical[thing, house] for house in HOUSES},
            }
            for thing in THINGS
        ]
        rules = [{"name": name, "warehouses": HOUSES, "split": split} for name, split in RULES.items()]
        load(
            self.engine,
            {"warehouses": [{"name": house} for house in HOUSES], "allocationRules": rules, "items": items},
        )

    @rule(batch=st.lists(orders, min_size=1, max_size=5))
    def batch_orders(self, batch: list[tuple[list[Line], dict[str, Any], int | None]]) -> None:
        before = {thing: self.free(thing) for thing in THINGS}
        sent = {f"k{n}": self._order(*one) for n, one in enumerate(batch)}

        response = self.client.post("/v1/orders", json=sent, headers={"Prefer": "wait=30"})

        assert response.status_code == 200, response.text
        outcomes = response.json()
        assert list(outcomes) == list(sent)
        self.answers[response.headers["Location"]] = response.content
        good = [(key, one) for key, one in zip(sent, batch, strict=True) if one[2] is None]
        for key, (_, _, bad) in zip(sent, batch, strict=True):
            assert bad is None or outcomes[key]["code"] == bad
        missing: list[Line] = []
        for key, (wanted, wish, _) in good:
            if outcomes[key]["status"] == "ok":
                missing.extend(self._created(outcomes[key], wanted, wish))
        # Nothing is put back within a batch: what was missing to one of them is missing now.
        assert all(self.free(thing) < quantity for thing, quantity in missing)
        for key, (wanted, wish, _) in good:
            if outcomes[key]["status"] == "no":
                self._was_rightly_refused(outcomes[key], wanted, wish)
        asked = sum((self._asked(wanted) for _, (wanted, wish, _) in good if wish["adjustStock"]), Counter())
        if all(asked[thing] <= before[thing] for thing in THINGS):
            assert all(outcomes[key]["status"] == "ok" for key, _ in good)

    @rule(wanted=lines, wish=wishes)
    def order_alone(self, wanted: list[Line], wish: dict[str, Any]) -> None:
        there = {house: {thing: self._free_at(thing, house) for thing in THINGS} for house in HOUSES}
        whole = [house for house in HOUSES if self._covers(there[house], wanted)]
        expected = self._lacking(wanted, wish)

        response = self.client.post("/v1/order", json=self._order(wanted, wish, None))

        assert response.status_code == 200, response.text
        self.answers[response.headers["Location"]] = response.content
        outcome = response.json()
        if outcome["status"] == "no":
            assert expected
            self._was_rightly_refused(outcome, wanted, wish)
            return
        assert not expected or wish["forceCreate"]
        held = self.held.copy()
        missing = self._created(outcome, wanted, wish)
        if wish["createOnly"]:
            return
        assert missing == expected
        # One house that covers the whole order ships all of it, and the first one does.
        if whole and wish["adjustStock"]:
            assert {house for _, house in self.held - held} == {whole[0]}

    def _free_at(self, thing: str, house: str) -> int:
        return self.physical[thing, house] - self.held[thing, house]

    def _covers(self, there: dict[str, int], wanted: list[Line]) -> bool:
        return all(there[thing] >= quantity for thing, quantity in self._asked(wanted).items())

    def _lacking(self, wanted: list[Line], wish: dict[str, Any]) -> list[Line]:
        """The lines that are not there whole, once those before them have theirs."""
        there = {thing: self.free(thing) for thing in THINGS}
        lacking = []
        for thing, quantity in wanted if wish["adjustStock"] else []:
            if quantity > there[thing]:
                lacking.append((thing, quantity))
            else:
                there[thing] -= quantity
        return lacking

    def _order(self, wanted: list[Line], wish: dict[str, Any], bad: int | None) -> dict[str, Any]:
        products = [{"sku": self.sku(thing), "qty": quantity} for thing, quantity in wanted]
        order = {"address": ADDRESS, "products": products, **wish}
        return {**order, "forceCreate": False, **BAD[bad]} if bad else order

    def _asked(self, wanted: list[Line]) -> Counter[str]:
        asked: Counter[str] = Counter()
        for thing, quantity in wanted:
            asked[thing] += quantity
        return asked

    def _created(self, outcome: dict[str, Any], wanted: list[Line], wish: dict[str, Any]) -> list[Line]:
        """Remember an order that was created or prepared; give the lines that are missing to it."""
        if wish["createOnly"]:
            assert outcome.keys() == {"status", "order"}
            self.prepared[outcome["order"]] = (wanted, wish)
            assert self._read([outcome["order"]])[0]["state"] == "prepared"
            return []
        missing = self._allocate(outcome["orders"], wanted, wish)
        event(f"parts: {len(outcome['orders'])}, missing lines: {len(missing)}")
        assert not missing or wish["forceCreate"]
        return missing

    def _was_rightly_refused(self, outcome: dict[str, Any], wanted: list[Line], wish: dict[str, Any]) -> None:
        assert (outcome["code"], outcome["retryable"]) == (-2, True), outcome
        assert wish["adjustStock"]
        assert not wish["forceCreate"]
        assert any(self.free(thing) < quantity for thing, quantity in self._asked(wanted).items())

    def _allocate(self, numbers: list[int], wanted: list[Line], wish: dict[str, Any]) -> list[Line]:
        """Take off the model's stock what these orders hold; give the lines that are missing."""
        parts = self._read(numbers)
        missing = []
        for at, (thing, quantity) in enumerate(wanted):
            shares = [one for part in parts for one in part["products"] if one["line"] == at]
            assert {one["itemSku"] for one in shares} == {self.sku(thing)}
            assert sum(one["qty"] for one in shares) == quantity
            held = [place for one in shares for place in one["warehouses"]]
            waiting = sum(one["backOrdered"] for one in shares)
            for place in held:
                self.held[thing, place["name"]] += place["itemQty"]
            assert sum(place["itemQty"] for place in held) + waiting == (
                quantity if wish["adjustStock"] else 0
            )
            # All of a line or none of it.
            assert waiting in {0, quantity}
            if waiting:
                missing.append((thing, quantity))
                [number] = [part["orderId"] for part in parts if self._waits(part, at)]
                self.waiting.append((number, at, thing, quantity))
        assert all(self.held[place] <= self.physical[place] for place in self.physical)
        self._add_up(parts, wanted, wish)
        return missing

    def _read(self, numbers: list[int]) -> list[dict[str, Any]]:
        answers = [self.client.get(f"/v1/orders?order={number}").raise_for_status() for number in numbers]
        return [answer.json()["orders"][0] for answer in answers]

    def _add_up(self, parts: list[dict[str, Any]], wanted: list[Line], wish: dict[str, Any]) -> None:
        def come_to(name: str) -> int:
            return sum(round(part[name] * 100) for part in parts)

        shipping, voucher = (round(float(wish[name]) * 100) for name in ("shippingValue", "voucherValue"))
        worth = 1_001 * sum(quantity for _, quantity in wanted)
        assert come_to("totalItemsPrice") == worth
        assert come_to("shippingValue") == shipping
        assert come_to("voucherValue") == min(voucher, worth + shipping)
        assert come_to("grandTotalValue") == max(0, worth + shipping - voucher)

    @rule(choice=st.integers(0, 99), group=st.none() | st.sampled_from(sorted(RULES)))
    def complete_a_prepared_order(self, choice: int, group: str | None) -> None:
        if not self.prepared:
            return
        number = sorted(self.prepared)[choice % len(self.prepared)]
        wanted, wish = self.prepared.pop(number)
        expected = self._lacking(wanted, wish)

        outcome = self._complete(number, {"warehouseGroup": group})

        assert outcome["orders"][0] == number
        assert self._allocate(outcome["orders"], wanted, wish) == expected
        split = RULES[group or wish["warehouseGroup"]]
        if split == "none":
            assert outcome["orders"] == [number]
        if split == "availability":
            assert len(outcome["orders"]) == (2 if 0 < len(expected) < len(wanted) else 1)
        self.completed[number] = outcome["orders"]

    @rule(choice=st.integers(0, 99), status=st.integers(0, 2), amount=cents)
    def add_a_payment_to_a_completed_order(self, choice: int, status: int, amount: str) -> None:
        if not self.completed:
            return
        number = sorted(self.completed)[choice % len(self.completed)]

        outcome = self._complete(number, {"payment": {"auth": {"status": status, "amount": amount}}})

        assert outcome["orders"] == self.completed[number]
        [found] = self._read([number])
        assert (found["payment"]["auth"]["status"], found["payment"]["auth"]["amount"]) == (
            status,
            float(amount),
        )

    def _complete(self, number: int, details: dict[str, Any]) -> dict[str, Any]:
        response = self.client.post(f"/v1/order/{number}", json=details, headers={"Prefer": "wait=30"})
        assert response.status_code == 200, response.text
        self.answers[response.headers["Location"]] = response.content
        outcome: dict[str, Any] = response.json()
        assert outcome["status"] == "ok", outcome
        return outcome

    @rule(
        counts=st.dictionaries(
            st.tuples(st.sampled_from(THINGS), st.sampled_from(HOUSES)), st.integers(0, 8), max_size=4
        )
    )
    def count_stock(self, counts: dict[tuple[str, str], int]) -> None:
        sent = [
            {"product": f"{self.sku(thing)}-EAN", "warehouse": house, "quantity": quantity}
            for (thing, house), quantity in counts.items()
        ]

        response = self.client.post("/v1/stock", json={"products": sent})

        assert response.status_code == 200, response.text
        below = [place for place, quantity in counts.items() if quantity < self.held[place]]
        assert response.json()["status"] == "ok"
        told = response.json().get("raised", [])
        assert sorted((one["product"], one["warehouse"], one["physicalStock"]) for one in told) == sorted(
            (f"{self.sku(thing)}-EAN", house, self.held[thing, house]) for thing, house in below
        )
        for place, quantity in counts.items():
            self.physical[place] = max(quantity, self.held[place])
        self._serve_who_waits({thing for thing, _ in counts})

    def _serve_who_waits(self, things: set[str]) -> None:
        """Hand out what is free, oldest order first: whoever cannot have all of it stands in the way."""
        blocked: set[str] = set()
        for waiting in self._oldest_first():
            number, at, thing, quantity = waiting
            if thing in blocked or thing not in things:
                continue
            if quantity > self.free(thing):
                blocked.add(thing)
                continue
            whole = [house for house in HOUSES if self._free_at(thing, house) >= quantity]
            for house in whole[:1] or HOUSES:
                taken = min(quantity, self._free_at(thing, house))
                self.held[thing, house] += taken
                quantity -= taken
            self.waiting.remove(waiting)
            event("a back-order is served")
            [part] = self._read([number])
            assert not self._waits(part, at)

    def _oldest_first(self) -> list[tuple[int, int, str, int]]:
        query = text("SELECT number, created_at FROM orders WHERE number = ANY(:numbers)")
        with self.engine.connect() as connection:
            rows = connection.execute(query, {"numbers": [one[0] for one in self.waiting]})
            made = dict(rows.tuples().all())
        return sorted(self.waiting, key=lambda one: (made[one[0]], one))

    def _waits(self, part: dict[str, Any], at: int) -> bool:
        return any(one["line"] == at and one["backOrdered"] for one in part["products"])

    @rule(choice=st.integers(0, 99))
    def ask_for_an_earlier_job(self, choice: int) -> None:
        if not self.answers:
            return
        path = sorted(self.answers)[choice % len(self.answers)]

        job = self.client.get(path).raise_for_status().json()
        results = self.client.get(job["links"]["results"]).raise_for_status()

        assert (job["done"], job["pending"], job["ok"] + job["failed"]) == (True, 0, job["total"])
        assert results.content == self.answers[path]

    @rule(thing=st.sampled_from(THINGS))
    def read_a_stock_level(self, thing: str) -> None:
        response = self.client.get("/v1/stock", params={"sku": self.sku(thing)}).raise_for_status()

        [item] = response.json()["products"]
        levels = {one["name"]: (one["physicalStock"], one["allocatedStock"]) for one in item["warehouses"]}
        assert levels == {house: (self.physical[thing, house], self.held[thing, house]) for house in HOUSES}

    def teardown(self) -> None:
        with self.engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT sku, warehouses.name, physical, allocated FROM stock"
                    " JOIN items ON items.id = item_id JOIN warehouses ON warehouses.id = warehouse_id"
                    " WHERE sku LIKE :run"
                ),
                {"run": f"{self.name}-%"},
            ).all()
        assert {(row.sku, row.name): (row.physical, row.allocated) for row in rows} == {
            (self.sku(thing), house): (physical, self.held[thing, house])
            for (thing, house), physical in self.physical.items()
        }
        assert broken_invariants(self.engine) == {}


def keep_shop_at_random(stack: Stack) -> None:
    """Run the model beside the stack, some hundred steps long. Raises AssertionError where they differ."""
    scopes = "orders:write,orders:read,stock:write,stock:read"
    key = stack.run("keys", "create", "--name", "shopkeeper", "--scopes", scopes).strip()
    client = httpx.Client(
        base_url=stack.client.base_url, timeout=60, trust_env=False, headers={"API-Authorization": key}
    )
    with client, open_servers(Settings(), stack.data_dir, own=False) as urls:
        engine = open_database(Settings(database_url=urls.database_url), "test")
        run_state_machine_as_test(
            cast("type[RuleBasedStateMachine]", partial(Shopkeeping, client, engine)),
            settings=settings(
                max_examples=15,
                stateful_step_count=15,
                deadline=None,
                derandomize=True,
                database=None,
                # A step takes some 100 ms here: shrinking would take minutes, and the steps are told anyway.
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
        engine.dispose()
