"""Texts reach the database as they were sent, whatever COPY's own format makes of their characters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text

from shared.persistence.core.copying import as_text, copy_rows, copy_text
from tests.support.orders import ADDRESS, order
from tests.support.worker_harness import WorkerHarness

ODD_TEXTS = [
    *("", " ", "plain", r"\N", r"\.", "\\", "\\\\", "tab\there", "two\nlines", "\r\n", r"a\tb", "\\\n"),
    *("\b\f\v", "\x7f\x85\u2028", "\ufeff", "å/~", "😀", '"', "NULL", "\\x41", "end\\"),
]


def test_any_text_written_as_copys_text_is_the_text_that_the_driver_would_write(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE one (at integer, written text) ON COMMIT DROP"))
        connection.execute(text("CREATE TEMP TABLE other (at integer, written text) ON COMMIT DROP"))
        all_texts = [*ODD_TEXTS, None]

        copy_text(
            connection, "one", ("at", "written"), [f"{i}\t{as_text(t)}" for i, t in enumerate(all_texts)]
        )
        copy_rows(connection, "other", ("at", "written"), enumerate(all_texts))

        one = list(connection.execute(text("SELECT written FROM one ORDER BY at")).scalars())
        other = list(connection.execute(text("SELECT written FROM other ORDER BY at")).scalars())
        assert one == other == all_texts


def test_more_rows_than_are_sent_at_once_are_all_there(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE many (at integer) ON COMMIT DROP"))

        copy_text(connection, "many", ("at",), [str(at) for at in range(1_001)])
        copy_text(connection, "many", ("at",), [])

        assert list(connection.execute(text("SELECT at FROM many ORDER BY at")).scalars()) == list(
            range(1_001)
        )


def test_an_order_keeps_every_character_of_its_texts(worker: WorkerHarness) -> None:
    worker.stock("BRASS-LAMP", main=1000)
    odd = [one for one in ODD_TEXTS if one.strip()]
    batch: dict[str, Any] = {}
    for one in odd:
        sent = order(
            {"sku": "BRASS-LAMP", "qty": 1, "comment": one, "itemText": {"product": one}},
            comment=one,
            internalComment=one,
            poNumber=one,
            buyerName=one,
            extraAttributes={one: one},
        )
        batch[one] = {**sent, "address": {**ADDRESS, "city": one}}

    worker.settle(batch)

    assert worker.rows(
        "SELECT batch_key::jsonb #>> '{}', invoice_address ->> 'city', delivery_address ->> 'city',"
        " orders.comment, internal_comment, po_number, buyer_name, extra_attributes, order_lines.comment,"
        " item_text ->> 'product' FROM orders JOIN order_lines ON order_number = number ORDER BY position"
    ) == [(one, one, one, one, one, one, one, {one: one}, one, one) for one in odd]
