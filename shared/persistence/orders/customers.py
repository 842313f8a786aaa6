"""Customers: found by id or e-mail, registered once per e-mail, made anew for every other order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, text

from shared.domain.catalog import Customers
from shared.domain.mailbox import mailbox_of
from shared.persistence.core.copying import as_text, copy_text
from shared.persistence.core.tables import customers

_FIND = text(
    "SELECT id, registered_email FROM customers"
    " WHERE id = ANY(CAST(:ids AS bigint[])) OR registered_email = ANY(CAST(:emails AS text[]))"
)
# In one order everywhere: two slices that register the same e-mails must not wait for each other in a ring.
_REGISTER = text(
    "INSERT INTO customers (email, registered_email)"
    " SELECT email, mailbox"
    " FROM unnest(CAST(:emails AS text[]), CAST(:mailboxes AS text[])) AS wanted(email, mailbox)"
    " ORDER BY mailbox ON CONFLICT (registered_email) DO NOTHING"
)
# The sequence is looked up once, not for every id.
_DRAW = text(
    "SELECT ARRAY(SELECT nextval((SELECT CAST(pg_get_serial_sequence('customers', 'id') AS regclass)))"
    " FROM generate_series(1, :count))"
)
_RESET = text(
    "WITH locked AS (SELECT id FROM customers WHERE id = ANY(CAST(:ids AS bigint[]))"
    " ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE customers SET reset_password = true FROM locked WHERE customers.id = locked.id"
)


def find_customers(connection: Connection, ids: Collection[int], emails: Collection[str]) -> Customers:
    """Which of these customers exist: by id, and registered ones by mailbox."""
    if not ids and not emails:
        return Customers()
    rows = connection.execute(_FIND, {"ids": list(ids), "emails": list(emails)}).all()
    return Customers(
        known_ids=frozenset(row.id for row in rows),
        registered={row.registered_email: row.id for row in rows if row.registered_email is not None},
    )


def register_customers(connection: Connection, emails: Iterable[str]) -> dict[str, int]:
    """Have a registered customer for each e-mail, as it is spelt first; gives ids by mailbox."""
    spelt: dict[str, str] = {}
    for email in emails:
        spelt.setdefault(mailbox_of(email), email)
    if not spelt:
        return {}
    connection.execute(_REGISTER, {"emails": list(spelt.values()), "mailboxes": list(spelt)})
    return dict(find_customers(connection, (), spelt).registered)


def add_customers(connection: Connection, emails: Sequence[str]) -> list[int]:
    """Make one unregistered customer per e-mail, equal ones included; gives their ids in that order."""
    if not emails:
        return []
    ids: list[int] = connection.execute(_DRAW, {"count": len(emails)}).scalar_one()
    rows = [f"{identity}\t{as_text(email)}" for identity, email in zip(ids, emails, strict=True)]
    copy_text(connection, customers, ("id", "email"), rows)
    return ids


def ask_for_new_passwords(connection: Connection, ids: Collection[int]) -> None:
    """Flag these customers for a password reset."""
    if ids:
        connection.execute(_RESET, {"ids": sorted(ids)})
