"""Customers and accounts by market: whom a key that is limited to markets may name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, TextClause, text

# A subquery per pair, and no join: each is one look into an index, whatever the statistics say.
_CUSTOMERS = text("""
    SELECT wanted.id, markets.id AS market_id
    FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
    CROSS JOIN unnest(CAST(:markets AS integer[])) AS markets(id)
    WHERE (SELECT true FROM orders WHERE customer_id = wanted.id AND market_id = markets.id LIMIT 1)
""")
# The oldest by when it was made, not by number: numbers can be chosen. Two lookups into an index for each.
_NOT_FIRST_ELSEWHERE = text("""
    SELECT wanted.id FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
    WHERE NOT EXISTS (
        SELECT FROM orders
        WHERE customer_id = wanted.id AND market_id <> ALL (CAST(:markets AS integer[]))
          AND created_at = (SELECT min(created_at) FROM orders WHERE customer_id = wanted.id)
    )
""")
_ACCOUNTS = text("""
    SELECT wanted.id, markets.id AS market_id
    FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
    CROSS JOIN unnest(CAST(:markets AS integer[])) AS markets(id)
    WHERE (SELECT true FROM orders WHERE account_id = wanted.id AND market_id = markets.id LIMIT 1)
""")


def customer_markets(
    connection: Connection, ids: Collection[int], market_ids: Collection[int]
) -> dict[int, frozenset[int]]:
    """In which of these markets each of these customers has an order, prepared ones included."""
    return _markets(connection, _CUSTOMERS, ids, market_ids)


def first_ordered_in(
    connection: Connection, ids: Collection[int], market_ids: Collection[int]
) -> frozenset[int]:
    """Which of these customers have their oldest order in one of these markets, or no order yet."""
    if not ids:
        return frozenset()
    values = {"ids": list(ids), "markets": list(market_ids)}
    return frozenset(connection.execute(_NOT_FIRST_ELSEWHERE, values).scalars())


def account_markets(
    connection: Connection, ids: Collection[int], market_ids: Collection[int]
) -> dict[int, frozenset[int]]:
    """The same of accounts."""
    return _markets(connection, _ACCOUNTS, ids, market_ids)


def _markets(
    connection: Connection, query: TextClause, ids: Collection[int], market_ids: Collection[int]
) -> dict[int, frozenset[int]]:
    if not ids or not market_ids:
        return {}
    found: dict[int, set[int]] = defaultdict(set)
    for row in connection.execute(query, {"ids": list(ids), "markets": list(market_ids)}):
        found[row.id].add(row.market_id)
    return {one: frozenset(markets) for one, markets in found.items()}
