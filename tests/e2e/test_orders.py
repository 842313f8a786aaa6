"""The main job through HTTP, with the whole stack behind it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from sqlalchemy import text

from cli.servers import open_servers
from shared.persistence.core.database import open_database
from shared.settings import Settings
from tests.support.orders import line, order
from tests.support.shopkeeping import keep_shop_at_random
from tests.support.stack import SAMPLES, Stack, catalog_file, running_stack
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        yield running


@contextmanager
def sql(stack: Stack) -> Iterator[Connection]:
    with open_servers(Settings(), stack.data_dir, own=False) as urls:
        engine = open_database(Settings(database_url=urls.database_url), "test")
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def test_the_seeds_own_request_is_answered_as_the_seed_says(stack: Stack) -> None:
    body = (SAMPLES / "orders.json").read_bytes()

    answer = stack.client.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    outcomes = answer.json()
    assert list(outcomes) == ["x123", "a1"]
    [number] = outcomes["x123"].pop("orders")
    assert outcomes["x123"] == {"status": "ok"}
    assert outcomes["a1"]["status"] == "no"
    assert outcomes["a1"]["code"] == -3
    with sql(stack) as connection:
        lines = connection.execute(
            text(
                "SELECT sku, quantity, unit_price::text, original_price::text "
                "FROM order_lines WHERE order_number = :number ORDER BY line"
            ),
            {"number": number},
        )
        assert [tuple(line) for line in lines] == [
            ("KRONAN-BIKE-BLUE-M", 2, "14.11", "100.11"),
            ("SKUASKUBSKUC", 1, "12.11", "50.22"),
        ]


def test_readme_shows_the_answer_that_is_given(stack: Stack) -> None:
    [shown] = re.findall(
        r"<!-- answer -->.*?```json\n(.*?)\n```", README.read_text(encoding="utf-8"), re.DOTALL
    )
    body = (SAMPLES / "orders.json").read_bytes()

    answer = stack.client.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})

    assert re.sub(r'"orders":\[\d+\]', '"orders":[1]', answer.text) == shown


def test_twenty_thousand_orders_are_accepted_at_once_and_all_decided(stack: Stack) -> None:
    # Every tenth wants what there is not, every hundredth says nothing.
    orders: dict[str, Any] = {
        f"order {number} ☃": {}
        if number % 100 == 0
        else order(line("BRASS-LAMP" if number % 10 else "SOLD-OUT-SLEDGE"), comment=f"nº {number}")
        for number in range(20_000)
    }
    body = json.dumps(orders, ensure_ascii=False).encode()

    answer = stack.client.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
    # Accepting costs reading and storing the batch, and waits for no order.
    first_seen = stack.client.get(answer.headers["Location"]).json()
    job = stack.await_job(answer.headers["Location"])

    assert answer.status_code == 202
    assert first_seen["pending"] > 0
    assert (job["state"], job["total"], job["percent"]) == ("partially_succeeded", 20_000, 100.0)
    assert (job["ok"], job["codes"]) == (18_000, {"-2": 1_800, "-3": 200})
    outcomes = stack.client.get(job["links"]["results"]).json()
    assert list(outcomes) == list(orders)
    numbers = [number for outcome in outcomes.values() for number in outcome.get("orders", [])]
    with sql(stack) as connection:
        found = connection.execute(
            text("SELECT number, batch_key::jsonb #>> '{}' AS key FROM orders WHERE job_id = :job"),
            {"job": job["id"]},
        )
        assert {row.number: row.key for row in found} == {
            number: key for key, outcome in outcomes.items() for number in outcome.get("orders", [])
        }
    assert len(set(numbers)) == len(numbers) == 18_000


def test_five_hundred_racing_orders_for_a_hundred_units_sell_exactly_a_hundred(
    stack: Stack, tmp_path: Path
) -> None:
    stack.run(
        "catalog", "load", str(catalog_file(tmp_path, [{"sku": "LAST-LAMP", "stock": {"Stockholm": 100}}]))
    )

    def post(client: int) -> list[dict[str, Any]]:
        # Small batches go one order a message, the large one in slices: both at once.
        count = 200 if client == 0 else 10
        batch = {f"{client}-{number}": order(line("LAST-LAMP")) for number in range(count)}
        answer = stack.client.post("/v1/orders", json=batch, headers={"Prefer": "wait=50"})
        assert answer.status_code == 200, answer.text
        outcomes = answer.json()
        assert list(outcomes) == list(batch)
        return list(outcomes.values())

    with ThreadPoolExecutor(16) as pool:
        outcomes = [outcome for answer in pool.map(post, range(31)) for outcome in answer]

    sold = [number for outcome in outcomes for number in outcome.get("orders", [])]
    assert len(outcomes) == 500
    assert len(set(sold)) == len(sold) == 100
    assert {outcome["code"] for outcome in outcomes if outcome["status"] == "no"} == {-2}
    with sql(stack) as connection:
        stock = connection.execute(
            text(
                "SELECT physical, allocated FROM stock JOIN items ON items.id = item_id "
                "WHERE sku = 'LAST-LAMP'"
            )
        )
        assert [tuple(row) for row in stock] == [(100, 100)]
        allocations = connection.execute(
            text(
                "SELECT order_number, quantity FROM allocations JOIN items ON items.id = item_id "
                "WHERE sku = 'LAST-LAMP'"
            )
        )
        assert sorted(tuple(row) for row in allocations) == [(number, 1) for number in sorted(sold)]


def test_client_commands_reach_the_running_stack(stack: Stack, tmp_path: Path) -> None:
    batch = tmp_path / "orders.json"
    batch.write_text(
        json.dumps({f"k{number}": order(line("RED-STOOL")) for number in range(150)}), encoding="utf-8"
    )
    options = ["--url", str(stack.client.base_url), "--api-key", stack.client.headers["API-Authorization"]]

    outcomes = json.loads(stack.run("submit", str(batch), *options))
    job_id = stack.run("submit", str(batch), "--no-wait", *options).strip()
    job = json.loads(stack.run("job", job_id, "--watch", "--json", *options))

    assert list(outcomes) == [f"k{number}" for number in range(150)]
    assert (job["state"], job["ok"]) == ("succeeded", 150)
    assert stack.run("results", job_id, "--failed", *options) == "{}"


def test_an_order_that_wants_a_confirmation_gets_it_and_its_neighbour_gets_none(stack: Stack) -> None:
    batch = {"a": order(line("RED-STOOL"), sendEmail=True), "b": order(line("RED-STOOL"))}

    answer = stack.client.post("/v1/orders", json=batch).json()

    # Files in the data directory, while there is no mail server.
    [confirmed], [other] = answer["a"]["orders"], answer["b"]["orders"]
    mail = stack.data_dir / "mails" / f"{confirmed}.eml"
    until(mail.exists, "the confirmation has been written")
    assert f"Confirmation of order {confirmed}" in mail.read_text(encoding="ascii")
    assert not mail.with_name(f"{other}.eml").exists()


def test_a_shop_that_is_used_at_random_agrees_with_a_naive_model_of_its_stock(stack: Stack) -> None:
    keep_shop_at_random(stack)


def test_sigterm_ends_with_0_and_leaves_no_process(stack: Stack) -> None:
    started = psutil.Process(stack.process.pid).children(recursive=True)
    answer = stack.client.post("/v1/orders", json={f"k{n}": order(line("RED-STOOL")) for n in range(2_000)})

    code = stack.stop()

    assert answer.status_code == 202
    assert code == 0
    # The API, a worker with two children, the scheduler, PostgreSQL with its own, Redis.
    assert len(started) > 6
    assert [process for process in started if process.is_running()] == []
