"""What the logs of all roles say of a client at their most talkative: nothing that is the client's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from shared.settings import Settings
from tests.support.api_process import ApiProcess, open_api_process
from tests.support.catalog_files import put
from tests.support.catalogs import SMALL_CATALOG
from tests.support.orders import line, order
from tests.support.until import until

MARK = "q7zk"
MARKED_ADDRESS = {
    "country": "SE",
    "email": f"{MARK}.asa@example.com",
    "firstName": f"{MARK}First",
    "lastName": f"{MARK}Last",
    "address": f"{MARK} Street 77",
    "coaddress": f"c/o {MARK}",
    "city": f"{MARK}ville",
    "zipcode": f"{MARK}123",
    "tele": f"+46{MARK}",
}


def marked_order(**fields: object) -> dict[str, Any]:
    everywhere: dict[str, Any] = {
        "address": MARKED_ADDRESS,
        "comment": f"{MARK} comment",
        "internalComment": f"{MARK} internal",
        "poNumber": f"{MARK}-po",
        "extraAttributes": {f"{MARK}-name": f"{MARK} value"},
        "payment": {"id": 1, "auth": {"status": 1, "amount": "1.00", "transaction": f"{MARK}-transaction"}},
    }
    return order(line(comment=f"{MARK} line"), **{**everywhere, **fields})


BATCH: dict[str, object] = {
    f"{MARK} good": marked_order(sendEmail=True),
    f"{MARK} registered": marked_order(customerRegister=True),
    f"{MARK} rejected": marked_order(market=f"{MARK} market", orderDate=f"{MARK} date"),
    f"{MARK} poisoned": marked_order(poNumber="poison"),
    f"{MARK} no order": f"{MARK} text",
}


@contextmanager
def role(settings: Settings, name: str, log: list[str], **variables: str) -> Iterator[None]:
    """Run a role at DEBUG within the block, and keep its lines."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli", name],
        env={
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "LOG_LEVEL": "DEBUG",
            **variables,
        },
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    assert process.stderr
    reader = threading.Thread(target=log.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
        reader.join(10)
        process.stderr.close()


def test_logs_at_debug_hold_nothing_of_a_client(settings: Settings, tmp_path: Path) -> None:
    log: list[str] = []
    variables = {"LOG_FORMAT": "json"}
    mails = {"MAIL_DIR": str(tmp_path), "MAIL_FROM": "shop@example.com", "WORKER_PROCESSES": "1"}
    with (
        open_api_process(settings, LOG_LEVEL="DEBUG", **variables) as api,
        role(settings, "worker", log, **variables, **mails),
        role(settings, "mailer", log, **variables, **mails),
    ):
        put(api.engine, SMALL_CATALOG)
        make_the_database_refuse(api, "orders", "po_number <> 'poison'")
        answered = api.ask(*request(api, BATCH), limit_seconds=60)
        assert answered.status == 200, answered.body
        outcomes = answered.json
        assert [outcome["status"] for outcome in outcomes.values()] == ["ok", "ok", "no", "no", "no"]
        talk(api)
        make_the_database_refuse(api, "jobs", "request_id <> 'poison'")
        assert api.ask(*request(api, BATCH, "X-Request-ID: poison")).status == 500
        await_mail(tmp_path)
    lines = [*api.log, *log]

    # All of them have spoken, the faults are told, and yet:
    assert any("order_not_stored" in line for line in lines)
    assert any("unexpected_fault" in line for line in lines)
    assert any("confirmation" in line for line in lines)
    assert [line for line in lines if MARK in line] == []
    assert [line for line in lines if api.key.split("_", 2)[2] in line] == []
    assert all(json.loads(line) for line in api.log)


def request(api: ApiProcess, batch: dict[str, object], *lines: str) -> tuple[bytes, bytes]:
    body = orjson.dumps(batch)
    return api.head(f"Content-Length: {len(body)}", "Prefer: wait=30", "Connection: close", *lines), body


def make_the_database_refuse(api: ApiProcess, table: str, condition: str) -> None:
    """As a fault of ours would be refused: PostgreSQL shows the whole row when it does."""
    with api.engine.begin() as connection:
        connection.execute(
            text(f"ALTER TABLE {table} ADD CONSTRAINT made_by_test CHECK ({condition}) NOT VALID")
        )


def talk(api: ApiProcess) -> None:
    """Everything else that a client may say, right and wrong."""
    for method, path, headers in (
        ("GET", f"/v1/orders?{MARK}=1&order={MARK}", ()),
        ("GET", f"/v1/orders?limit={MARK}", ()),
        ("GET", f"/v1/jobs/{MARK}", ()),
        ("GET", f"/{MARK}?key={api.key}", ()),
        (f"X-{MARK.upper()}", "/v1/orders", ()),
        ("GET", "/v1/limits", (f"X-Request-ID: {MARK} {MARK}", f"User-Agent: {MARK}", f"Referer: {MARK}")),
        ("GET", "/v1/limits", (f"Prefer: {MARK}", f"Cookie: {MARK}", f"Host: {MARK}")),
        (
            "POST",
            "/v1/orders",
            (f"Idempotency-Key: {MARK}", f"Content-Encoding: {MARK}", "Content-Length: 2"),
        ),
        ("POST", "/v1/orders", (f"Idempotency-Key: {MARK}", "Content-Length: 2")),
        ("POST", "/v1/order", ("Content-Length: 6",)),
    ):
        api.ask(api.head(*headers, "Connection: close", method=method, path=path), b"{}    ")
    api.ask(api.head("Connection: close", method="GET", path="/v1/limits", key=api.key[:-3] + MARK[:3]))
    api.ask(f"GET /{MARK}\xff HTTP/1.1\r\n{MARK}: {api.key}\x00\r\n\r\n".encode("latin-1"))


def await_mail(directory: Path) -> None:
    until(lambda: list(directory.rglob("*.eml")), "a confirmation has been written")
