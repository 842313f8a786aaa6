"""Some of a job's outcomes, beside what was sent, as JSON, lines of it or a table (contract §5)."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import pytest
from sqlalchemy import text

from api.jobs.pieces import PIECE_BYTES
from shared.domain.reasons import ITEM_UNKNOWN, STOCK_SHORT
from tests.support.api import ApiClient
from tests.support.orders import ADDRESS
from tests.support.stored_jobs import close_slice

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


LINES, CSV = "application/x-ndjson", "text/csv"
EVA = {"firstName": "Eva", "lastName": "Lind", **ADDRESS}
OUTCOMES: dict[str, Any] = {
    "ok-0": {"status": "ok", "orders": [1]},
    "short-1": {
        "status": "no",
        "code": -2,
        "msg": "products[0]: 5 wanted",
        "retryable": True,
        "errors": [
            {"pointer": "/products/0", "reason": STOCK_SHORT.name, "msg": "5 wanted", "params": {"wanted": 5}}
        ],
    },
    "prepared-2": {"status": "ok", "order": 2},
    "unknown-3": {
        "status": "no",
        "code": -1,
        "msg": "products[1].sku: no item",
        "retryable": False,
        "errors": [
            {"pointer": "/products/0/sku", "reason": ITEM_UNKNOWN.name, "msg": "no item A", "params": {}},
            {"pointer": "/products/1/sku", "reason": ITEM_UNKNOWN.name, "msg": "no item B", "params": {}},
        ],
    },
    "short-4": {
        "status": "no",
        "code": -2,
        "msg": "",
        "retryable": True,
        "errors": [{"pointer": "", "reason": STOCK_SHORT.name, "msg": "none", "params": {}}],
    },
    "given-up-5": {"status": "no", "code": -7, "msg": "given up", "retryable": True, "errors": []},
}
ORDERS: dict[str, Any] = {
    key: {"address": EVA, "products": [{"sku": "BRASS-LAMP", "qty": 1}, {"ean": 7302, "qty": 1}]}
    for key in OUTCOMES
}


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    return api.with_settings(slice_max_orders=2, sync_max_orders=1, database_pool_size=1)


def decide(api: ApiClient, slice_id: int, outcomes: dict[str, Any]) -> None:
    """Close a slice as a worker does."""
    rejected = [one["code"] for one in outcomes.values() if one["status"] == "no"]
    codes = {str(code): rejected.count(code) for code in rejected}
    close_slice(api.engine, slice_id, orjson.dumps(outcomes), len(outcomes) - len(rejected), codes)


def decided_job(
    api: ApiClient,
    outcomes: dict[str, Any] = OUTCOMES,
    orders: dict[str, Any] = ORDERS,
    *,
    left_open: int = 0,
) -> str:
    """A job with these outcomes, but for its last slices; the path of its results."""
    posted = api.post(json.dumps(orders, indent=1).encode(), Prefer="respond-async")
    slices = api.open_slices(posted.headers["Location"].rpartition("/")[2])
    for slice_id, _, _ in slices[: len(slices) - left_open]:
        [(body,)] = api.rows("SELECT body FROM slices WHERE id = :id", id=slice_id)
        decide(api, slice_id, {key: outcomes[key] for key in json.loads(body)})
    return f"{posted.headers['Location']}/results"


def ask(api: ApiClient, path: str, accept: str = "", **headers: str) -> TestResponse:
    accepted = {"Accept": accept} if accept else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.get(path, headers={"API-Authorization": api.key, **accepted, **named})


def keys(response: TestResponse) -> list[str]:
    assert response.status_code == 200, response.data
    return list(json.loads(response.data))


def rows(response: TestResponse) -> list[dict[str, str]]:
    assert response.status_code == 200, response.data
    # Without it a spreadsheet takes the table for what its computer writes.
    assert response.data.startswith(BOM_UTF8)
    return list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("status=ok", ["ok-0", "prepared-2"]),
        ("status=no", ["short-1", "unknown-3", "short-4", "given-up-5"]),
        ("code=-2", ["short-1", "short-4"]),
        ("reason=item_unknown", ["unknown-3"]),
        ("code=-1&reason=item_unknown&status=no", ["unknown-3"]),
        ("code=-7", ["given-up-5"]),
        ("code=-3", []),
        ("after=3", ["short-4", "given-up-5"]),
        ("after=0&status=ok", ["prepared-2"]),
        ("after=5", []),
        ("limit=2", ["ok-0", "short-1"]),
        ("limit=100", list(OUTCOMES)),
        ("limit=1&after=0&code=-2", ["short-1"]),
    ],
)
def test_parameters_choose_outcomes_and_those_are_as_they_were(
    api: ApiClient, query: str, chosen: list[str]
) -> None:
    path = decided_job(api)

    response = ask(api, f"{path}?{query}")

    assert keys(response) == chosen
    assert response.data == orjson.dumps({key: OUTCOMES[key] for key in chosen})


@pytest.mark.parametrize("query", ["", "status=no&", "reason=stock_short&"])
def test_following_next_gives_each_chosen_outcome_exactly_once_in_order(api: ApiClient, query: str) -> None:
    path = decided_job(api)
    whole = keys(ask(api, f"{path}?{query}include=order"))
    link, found = f"{path}?{query}limit=1", []

    for _ in range(len(OUTCOMES)):
        page = ask(api, link)
        assert len(keys(page)) == 1
        found += keys(page)
        if "Link" not in page.headers:
            break
        link = page.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
        assert urlsplit(link).path == path

    assert found == whole


@pytest.mark.parametrize("accept", ["", "*/*", "application/xml", "text/html,*/*;q=0.8", "x" * 2_000])
def test_json_is_what_is_given_unless_something_else_is_asked_for(api: ApiClient, accept: str) -> None:
    response = ask(api, decided_job(api), accept)

    assert response.mimetype == "application/json"
    assert response.data == orjson.dumps(OUTCOMES)


def test_lines_have_key_and_position_and_what_was_sent_however_it_was_written(api: ApiClient) -> None:
    path = decided_job(api)

    plain, beside = ask(api, f"{path}?status=no", LINES), ask(api, f"{path}?include=order", LINES)

    assert plain.mimetype == LINES
    read = [json.loads(line) for line in plain.data.splitlines()]
    assert [(one.pop("key"), one.pop("position")) for one in read] == [
        ("short-1", 1),
        ("unknown-3", 3),
        ("short-4", 4),
        ("given-up-5", 5),
    ]
    assert read == [one for one in OUTCOMES.values() if one["status"] == "no"]
    assert [json.loads(line)["sent"] for line in beside.data.splitlines()] == list(ORDERS.values())


def test_what_was_sent_stands_beside_each_outcome(api: ApiClient) -> None:
    path = decided_job(api)

    found = json.loads(ask(api, f"{path}?include=order&code=-2").data)

    assert found == {key: {**OUTCOMES[key], "sent": ORDERS[key]} for key in ("short-1", "short-4")}


def test_what_was_sent_and_is_gone_is_410_that_says_why_and_the_outcomes_stay(api: ApiClient) -> None:
    path = decided_job(api)
    with api.engine.begin() as connection:
        connection.execute(text("UPDATE slices SET body = NULL"))
        connection.execute(text("UPDATE jobs SET bodies_kept = false"))

    gone = ask(api, f"{path}?include=order")

    assert gone.status_code == 410
    assert gone.json is not None
    assert "kept for 7 days" in gone.json["msg"]
    assert keys(ask(api, f"{path}?status=no")) == ["short-1", "unknown-3", "short-4", "given-up-5"]
    assert {row["name"] for row in rows(ask(api, path, CSV))} == {""}


def test_a_table_has_a_row_an_error_with_whose_order_it_is(api: ApiClient) -> None:
    response = ask(api, decided_job(api), CSV)

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.data.startswith(b"\xef\xbb\xbf")
    found = rows(response)
    whose = {"name": "Eva Lind", "e-mail": "eva@example.com", "country": "SE"}
    assert [(row["key"], row["code"], row["field"], row["message"], row["SKU"]) for row in found] == [
        ("short-1", "-2", "products[1]", "5 wanted", "BRASS-LAMP"),
        ("unknown-3", "-1", "products[1].sku", "no item A", "BRASS-LAMP"),
        ("unknown-3", "-1", "products[2].sku", "no item B", "7302"),
        ("short-4", "-2", "", "none", ""),
        ("given-up-5", "-7", "", "given up", ""),
    ]
    assert [{name: row[name] for name in whose} for row in found] == [whose] * 5


@pytest.mark.parametrize(
    "order", [[1], "text", None, {"address": 5, "products": "x"}, {"products": {"0": {"id": 1e400}}}, 10**400]
)
def test_a_table_is_made_of_whatever_was_sent(api: ApiClient, order: object) -> None:
    sent = json.dumps({"a": order}).replace("Infinity", "1e400").encode()
    posted = api.post(sent, Prefer="respond-async")
    [(slice_id, _, _)] = api.open_slices(posted.headers["Location"].rpartition("/")[2])
    decide(api, slice_id, {"a": OUTCOMES["unknown-3"]})

    assert len(rows(ask(api, f"{posted.headers['Location']}/results", CSV))) == 2


def test_no_cell_of_a_table_is_run_by_a_spreadsheet(api: ApiClient) -> None:
    evil = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "a;=cmd|' /C calc'!A0",
        'a,"=1',
        "x\r\n=1",
        "\uff1d1",
    ]
    orders: dict[str, Any] = {
        f"{key}-{n}": {"address": {**EVA, "firstName": key}, "products": [{"sku": key}]}
        for n, key in enumerate(evil)
    }
    outcomes: dict[str, Any] = dict.fromkeys(orders, OUTCOMES["short-1"])

    found = rows(ask(api, decided_job(api, outcomes, orders), CSV))

    assert len(found) == len(evil)
    for row in found:
        for name in ("key", "name", "SKU"):
            for cell in io.StringIO(row[name].replace(";", "\n").replace(",", "\n").replace('"', "\n")):
                assert cell.strip()[:1] not in set("=+-@\uff1d"), row


@pytest.mark.parametrize("accept", ["", LINES, CSV])
def test_gzip_where_the_client_takes_it_and_the_same_within(api: ApiClient, accept: str) -> None:
    path = decided_job(api) + "?include=order"

    plain, zipped = ask(api, path, accept), ask(api, path, accept, Accept_Encoding="br, gzip;q=0.5")

    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in ask(api, path, accept, Accept_Encoding="gzip;q=0, identity").headers
    assert {one.strip() for one in plain.headers["Vary"].split(",")} == {"Accept", "Accept-Encoding"}
    assert gzip.decompress(zipped.data) == plain.data


@pytest.mark.parametrize("accept", ["", LINES, CSV])
def test_while_the_job_runs_what_is_there_is_given_and_told_to_be_incomplete(
    api: ApiClient, accept: str
) -> None:
    running, done = (ask(api, decided_job(api, left_open=open_) + "?status=no", accept) for open_ in (1, 0))

    assert (running.headers["Ordermill-Complete"], done.headers["Ordermill-Complete"]) == ("false", "true")
    assert "Retry-After" in running.headers
    assert "Retry-After" not in done.headers
    assert b"unknown-3" in running.data
    assert b"given-up-5" not in running.data
    assert b"given-up-5" in done.data


def test_one_order_alone_is_given_bare_and_can_be_chosen(api: ApiClient) -> None:
    posted = api.client.post(
        "/v1/order",
        data=orjson.dumps(ORDERS["ok-0"]),
        headers={"API-Authorization": api.key, "Content-Type": "application/json", "Prefer": "respond-async"},
    )
    path = f"{posted.headers['Location']}/results"
    assert ask(api, f"{path}?include=order").data == b"{}"
    [(slice_id, _, _)] = api.open_slices()
    decide(api, slice_id, {"": OUTCOMES["ok-0"]})

    assert json.loads(ask(api, f"{path}?include=order").data) == {**OUTCOMES["ok-0"], "sent": ORDERS["ok-0"]}
    assert json.loads(ask(api, path, LINES).data)["key"] == ""


@pytest.mark.parametrize(
    ("query", "accept", "told"),
    [
        ("status=maybe", "", "status: 'maybe' is not one of ok, no"),
        ("status=", "", "status: is empty"),
        ("status=ok&status=no", "", "status: stands more than once"),
        ("code=2", "", "code: '2' is not in -7..-1"),
        ("code=x", "", "code: 'x' is not a whole number"),
        ("reason=bad_luck", "", "reason: 'bad_luck' is not one of"),
        ("limit=0", "", "limit: '0' is not in 1..100000"),
        ("limit=100001", "", "limit: '100001' is not in 1..100000"),
        ("after=-1", "", "after: '-1' is not in 0..100000"),
        ("after=short-1", "", "after: 'short-1' is not a whole number"),
        ("include=stock", "", "include: 'stock' is not one of order"),
        ("status=ok&code=-2", "", "code: -2 contradicts status=ok"),
        ("status=ok&reason=stock_short", "", "reason: 'stock_short' contradicts status=ok"),
        ("code=-1&reason=stock_short", "", "reason: 'stock_short' is a reason of code -2, not of -1"),
        ("status=ok", CSV, "status: text/csv tells of errors"),
        ("colour=red", "", "colour"),
    ],
)
def test_a_parameter_in_a_wrong_form_is_400_with_its_name_and_what_is_allowed(
    api: ApiClient, query: str, accept: str, told: str
) -> None:
    response = ask(api, f"{decided_job(api)}?{query}", accept)

    assert response.status_code == 400
    assert response.json is not None
    assert told in response.json["msg"]


def test_a_large_answer_beside_what_was_sent_is_made_piece_by_piece(api: ApiClient) -> None:
    wide = api.with_settings(slice_max_orders=10, sync_max_orders=1)
    orders = {f"k{n}": {"comment": "x" * 9_000, "products": []} for n in range(800)}
    path = decided_job(wide, dict.fromkeys(orders, OUTCOMES["short-1"]), orders)
    reading = wide.client.get(
        f"{path}?include=order",
        headers={"API-Authorization": wide.key, "Accept": LINES},
        buffered=False,
    )

    tracemalloc.start()
    sizes = [len(piece) for piece in reading.iter_encoded()]
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(sizes) > 7_000_000
    assert max(sizes) < 4 * PIECE_BYTES
    assert most_bytes < 4_000_000


def test_choosing_reads_no_slice_that_cannot_have_what_is_asked_for(api: ApiClient) -> None:
    wide = api.with_settings(slice_max_orders=2, sync_max_orders=1)
    orders: dict[str, Any] = {f"k{n}": {} for n in range(20)}
    outcomes = dict.fromkeys(orders, OUTCOMES["ok-0"]) | {"k7": OUTCOMES["short-1"]}
    path = decided_job(wide, outcomes, orders)
    # What cannot be read would be found out.
    with wide.engine.begin() as connection:
        connection.execute(text("UPDATE slices SET outcomes = 'no JSON' WHERE ok_count = order_count"))

    assert keys(ask(wide, f"{path}?code=-2")) == ["k7"]
