"""Customers: one for each registered e-mail, a new one for every other order."""

from __future__ import annotations

import pytest

from tests.support.orders import line, order
from tests.support.worker_harness import WorkerHarness

pytestmark = pytest.mark.usefixtures("plenty_of_lamps")


def registering(email: str) -> dict[str, object]:
    return order(email=email, customerRegister=True)


def test_an_email_is_registered_once_however_often_and_however_it_is_written(worker: WorkerHarness) -> None:
    worker.settle({"a": registering("Eva@Example.com"), "b": registering("eva@example.com")})
    worker.settle({"c": registering("EVA@EXAMPLE.COM")})

    assert worker.rows("SELECT email, registered_email FROM customers") == [
        ("Eva@Example.com", "eva@example.com")
    ]
    assert worker.rows("SELECT DISTINCT customer_id FROM orders") == [(1,)]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("eva@bücher.example", "eva@xn--bcher-kva.example"),
        ("eva@xn--bcher-kva.example", "Eva@BÜCHER.example"),
        ("eva@bücher.example", "eva@bu\u0308cher.example"),
        ("a\u030asa@example.com", "Åsa@example.com"),
        ("eva..lind@docomo.ne.jp", "Eva..Lind@docomo.ne.jp"),
    ],
)
def test_a_mailbox_is_registered_once_however_it_is_spelled(
    worker: WorkerHarness, first: str, again: str
) -> None:
    worker.settle({"a": registering(first), "b": registering(again)})
    worker.settle({"c": registering(again), "d": registering(first)})

    assert worker.rows("SELECT email FROM customers") == [(first,)]
    assert worker.rows("SELECT DISTINCT customer_id FROM orders") == [(1,)]


def test_orders_that_do_not_register_have_a_customer_of_their_own_unseen_by_the_registered_one(
    worker: WorkerHarness,
) -> None:
    worker.settle({"a": registering("eva@example.com"), "b": order(), "c": order()})

    assert worker.rows("SELECT registered_email FROM customers ORDER BY id") == [
        ("eva@example.com",),
        (None,),
        (None,),
    ]
    assert len(worker.rows("SELECT DISTINCT customer_id FROM orders")) == 3


def test_a_rejected_order_registers_nobody(worker: WorkerHarness) -> None:
    worker.settle({"a": order(line(qty=99_999), customerRegister=True)})

    assert worker.count("customers") == 0


def test_an_order_is_attached_to_the_customer_that_it_names_whatever_its_email(worker: WorkerHarness) -> None:
    worker.settle({"a": registering("eva@example.com")})

    worker.settle({"b": order(email="bo@example.com", customerId=1, customerRegister=True)})

    assert worker.rows("SELECT customer_id FROM orders") == [(1,), (1,)]
    assert worker.count("customers") == 1


def test_a_new_password_is_asked_for_the_customer_whose_order_says_so(worker: WorkerHarness) -> None:
    worker.settle(
        {
            "a": order(email="a@example.com", customerRegister=True, customerSetNewPassword=True),
            "b": order(email="b@example.com", customerRegister=True),
            "c": order(email="c@example.com", customerSetNewPassword="1"),
        }
    )

    assert worker.rows("SELECT email, reset_password FROM customers ORDER BY email") == [
        ("a@example.com", True),
        ("b@example.com", False),
        ("c@example.com", True),
    ]


def test_racing_slices_that_register_the_same_emails_make_one_customer_of_each(worker: WorkerHarness) -> None:
    emails = [f"c{i}@example.com" for i in range(12)]
    # Each slice names them in another order: they must not wait for each other in a ring.
    turned = [emails[i % 12 :] + emails[: i % 12] for i in range(24)]
    batch = {f"k{i}-{email}": registering(email) for i, names in enumerate(turned) for email in names}
    slice_ids = worker.accept(batch, per=12)

    worker.settle_racing(slice_ids)

    assert worker.count("customers") == 12
    assert worker.count("orders") == 288
    assert all(one["status"] == "ok" for one in worker.outcomes().values())
    assert [entry for entry in worker.logged if entry["event"] == "slices_tried_again"] == []
    assert worker.rows(
        "SELECT count(*) FROM orders JOIN customers ON customers.id = customer_id"
        " WHERE email <> invoice_address ->> 'email'"
    ) == [(0,)]
