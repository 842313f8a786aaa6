"""Unique keys: which keys of a client have made an order, claimed by whoever is about to (contract §5).

What a key has made is told by the orders themselves, for as long as they exist, whichever batch asked for
them. A claim only makes those wait that are about to make an order under the same key of the same client;
it stays where the order was made, and goes with the transaction that made none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, text

from shared.domain.outcome import MOST_KEY_NUMBERS

# In one order everywhere: two slices with the same keys must not wait for each other in a ring. Who comes
# second waits here until the first one has committed, or has thought better of it.
_CLAIM = text("""
    INSERT INTO unique_keys (client_id, key_hash)
    SELECT client_id, sha256(convert_to(key, 'UTF8')) AS key_hash
    FROM unnest(CAST(:client_ids AS integer[]), CAST(:keys AS text[])) AS wanted (client_id, key)
    ORDER BY client_id, key_hash
    ON CONFLICT DO NOTHING
""")
# A subquery per key, planned for all that it finds and read no further than it is asked: with the statistics
# of a table that grows fast, PostgreSQL would read all of its orders to find that none has these keys.
#
# What POST /v1/order makes has no key.
MADE: Final = """
    SELECT nth, numbers
    FROM unnest(CAST(:client_ids AS integer[]), CAST(:keys AS text[]))
        WITH ORDINALITY AS wanted (client_id, key, nth)
    CROSS JOIN LATERAL (
        SELECT ARRAY(
            WITH found AS MATERIALIZED (
                SELECT number FROM orders
                WHERE hashtextextended(batch_key, 0) = hashtextextended(wanted.key, 0)
                AND batch_key = wanted.key
                AND api_key_id = ANY(ARRAY(SELECT id FROM api_keys WHERE client_id = wanted.client_id))
                AND (batch_key <> '""' OR NOT EXISTS (
                    SELECT FROM jobs WHERE jobs.id = job_id AND form = 'order'
                ))
            )
            SELECT number FROM found LIMIT :most
        ) AS numbers
    ) AS made
    WHERE numbers <> '{}'
"""
"""The orders of keys that have any, by the place of each among ``keys``."""

_MADE = text(MADE)
_RELEASE = text("""
    DELETE FROM unique_keys
    USING unnest(CAST(:client_ids AS integer[]), CAST(:keys AS text[])) AS released (client_id, key)
    WHERE unique_keys.client_id = released.client_id AND key_hash = sha256(convert_to(key, 'UTF8'))
""")


class UniqueKey(NamedTuple):
    """A batch's key and the client whose it is: two clients' keys have nothing to do with each other."""

    client_id: int
    key: str


def claim_keys(connection: Connection, keys: Collection[UniqueKey]) -> dict[UniqueKey, tuple[int, ...]]:
    """Claim these keys until the transaction ends, after whoever has one; gives the orders that they have.

    A key is in it if its client has made an order under it before, in whatever batch: with the first numbers
    of all its orders. Only under the others may an order be made. It comes before stock is locked: whoever
    waits for a key holds no stock, and whoever holds stock waits for no key.
    """
    wanted = list(keys)
    values = _values(wanted)
    connection.execute(_CLAIM, values)
    # A statement of its own: it sees what was committed while the claim waited.
    rows = connection.execute(_MADE, {**values, "most": MOST_KEY_NUMBERS})
    return {wanted[row.nth - 1]: tuple(sorted(row.numbers)) for row in rows}


def release_keys(connection: Connection, keys: Collection[UniqueKey]) -> None:
    """Give up keys that this transaction has claimed and made nothing under."""
    if keys:
        connection.execute(_RELEASE, _values(keys))


def _values(keys: Collection[UniqueKey]) -> dict[str, list[int] | list[str]]:
    # As JSON, which is how orders have them: PostgreSQL's text takes no U+0000.
    written = [msgspec.json.encode(one.key).decode() for one in keys]
    return {"client_ids": [one.client_id for one in keys], "keys": written}
