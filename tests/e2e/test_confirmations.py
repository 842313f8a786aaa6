"""Confirmations of the whole stack: files in the data directory while there is no mail server."""

from __future__ import annotations

import time

from tests.e2e.stack import running_stack


def test_order_that_wants_a_confirmation_gets_it_and_its_neighbour_gets_none() -> None:
    order = {
        "address": {"country": "SE", "email": "anna@example.com"},
        "products": [{"sku": "RED-STOOL", "qty": 1}],
    }
    with running_stack(workers=1) as stack:
        answer = stack.client.post("/v1/orders", json={"a": {**order, "sendEmail": True}, "b": order}).json()
        [number] = answer["a"]["orders"]
        mail = stack.data_dir / "mails" / f"{number}.eml"

        deadline = time.monotonic() + 30
        while not mail.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)

        assert f"Confirmation of order {number}" in mail.read_text(encoding="ascii")
        assert answer["b"]["status"] == "ok"
        assert [file.name for file in mail.parent.iterdir()] == [mail.name]
        assert stack.stop() == 0
