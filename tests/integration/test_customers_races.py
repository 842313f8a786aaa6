"""Customers: one for each registered e-mail, a new one for every other order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.settings import Settings
from tests.support.invariants import broken_invariants
from tests.support.mill import Mill, open_mill, order


@pytest.fixture
def mill(settings: Settings) -> Iterator[Mill]:
    with open_mill(settings) as made:
        made.stock("BRASS-LAMP", main=10_000)
        yield made
        assert broken_invariants(made.engine) == {}


def registering(email: str) -> dict[str, object]:
    return order(email=email, customerRegister=True)


def test_an_email_is_registered_once_however_often_and_however_it_is_written(mill: Mill) -> None:
    mill.settle({"a": registering("Eva@Example.com"), "b": registering("eva@example.com")})
    mill.settle({"c": registering("EVA@EXAMPLE.COM")})

    assert mill.rows("SELECT email, registered_email FROM customers") == [
        ("Eva@Example.com", "eva@example.com")
    ]
    assert mill.rows("SELECT DISTINCT customer_id FROM orders") == [(1,)]


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
def test_a_mailbox_is_registered_once_however_it_is_spelled(mill: Mill, first: str, again: str) -> None:
    mill.settle({"a": registering(first), "b": registering(again)})
    mill.settle({"c": registering(again), "d": registering(first)})

    assert mill.rows("SELECT email FROM customers") == [(first,)]
    assert mill.rows("SELECT DISTINCT customer_id FROM orders") == [(1,)]


def test_orders_that_do_not_register_have_a_customer_of_their_own_unseen_by_the_registered_one(
    mill: Mill,
) -> None:
    mill.settle({"a": registering("eva@example.com"), "b": order(), "c": order()})

    assert mill.rows("SELECT registered_email FROM customers ORDER BY id") == [
        ("eva@example.com",),
        (None,),
        (None,),
    ]
    assert len(mill.rows("SELECT DISTINCT customer_id FROM orders")) == 3


def test_a_rejected_order_registers_nobody(mill: Mill) -> None:
    mill.settle({"a": order(qty=99_999, customerRegister=True)})

    assert mill.count("customers") == 0


def test_an_order_is_attached_to_the_customer_that_it_names_whatever_its_email(mill: Mill) -> None:
    mill.settle({"a": registering("eva@example.com")})

    mill.settle({"b": order(email="bo@example.com", customerId=1, customerRegister=True)})

    assert mill.rows("SELECT customer_id FROM orders") == [(1,), (1,)]
    assert mill.count("customers") == 1


def test_a_new_password_is_asked_for_the_customer_whose_order_says_so(mill: Mill) -> None:
    mill.settle(
        {
            "a": order(email="a@example.com", customerRegister=True, customerSetNewPassword=True),
            "b": order(email="b@example.com", customerRegister=True),
            "c": order(email="c@example.com", customerSetNewPassword="1"),
        }
    )

    assert mill.rows("SELECT email, reset_password FROM customers ORDER BY email") == [
        ("a@example.com", True),
        ("b@example.com", False),
        ("c@example.com", True),
    ]


def test_racing_slices_that_register_the_same_emails_make_one_customer_of_each(mill: Mill) -> None:
    emails = [f"c{i}@example.com" for i in range(12)]
    # Each slice names them in another order: they must not wait for each other in a ring.
    turned = [emails[i % 12 :] + emails[: i % 12] for i in range(24)]
    batch = {f"k{i}-{email}": registering(email) for i, names in enumerate(turned) for email in names}
    slice_ids = mill.promise(batch, per=12)

    mill.settle_racing(slice_ids)

    assert mill.count("customers") == 12
    assert mill.count("orders") == 288
    assert all(one["status"] == "ok" for one in mill.outcomes().values())
    assert [entry for entry in mill.logged if entry["event"] == "slices_tried_again"] == []
    assert mill.rows(
        "SELECT count(*) FROM orders JOIN customers ON customers.id = customer_id"
        " WHERE email <> invoice_address ->> 'email'"
    ) == [(0,)]
