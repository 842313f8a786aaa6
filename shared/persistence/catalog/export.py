"""The catalog as it stands, as the rows of a catalog file: what it loads back to is the same.

Read in one snapshot, with a cursor of the server's, so that a catalog of any size takes little memory here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine, text

from shared.domain.currencies import DECIMALS
from shared.persistence.core.database import snapshot

_ROWS_AT_ONCE: Final = 1_000

# What amounts are rounded to where a version wrote them that counted every currency in hundredths.
_DECIMALS: Final = " ".join(
    ["CASE {0}", *(f"WHEN '{currency}' THEN {most}" for currency, most in DECIMALS.items()), "ELSE 2 END"]
)


def _amounts(column: str) -> str:
    """An object of amounts by currency; null where there is none."""
    amount = f"round(one.value::numeric, {_DECIMALS.format('one.key')})::text"
    made = f"json_object_agg(one.key, {amount} ORDER BY one.key)"
    known = f"SELECT coalesce({made}, '{{}}') FROM jsonb_each_text({column}) AS one"  # noqa: S608 - our own text
    return f"CASE WHEN {column} IS NOT NULL THEN ({known}) END"


# List → a query whose one column is a row of the file as JSON. What is null is written as null, since a
# member that is left out would leave what is there. Amounts are text so that no reader makes floats of them,
# and every order is one that the next export repeats.
_LISTS: Final = {
    "warehouses": """
        SELECT json_build_object('id', id, 'name', name, 'threshold', threshold)
          FROM warehouses ORDER BY id""",
    "allocationRules": """
        SELECT json_build_object('id', id, 'name', name, 'split', split, 'warehouses',
                 (SELECT json_agg(w.name ORDER BY place)
                    FROM unnest(warehouse_ids) WITH ORDINALITY AS wanted(id, place)
                    JOIN warehouses w ON w.id = wanted.id))
          FROM allocation_rules ORDER BY id""",
    "pricelists": """
        SELECT json_build_object('id', id, 'name', name, 'currency', currency)
          FROM pricelists ORDER BY id""",
    "shippingOptions": f"""
        SELECT json_build_object('id', id, 'uri', uri, 'name', name, 'countries', countries,
                                 'default', is_default, 'price', {_amounts("prices")})
          FROM shipping_options ORDER BY id""",  # noqa: S608 - our own text
    "markets": """
        SELECT json_build_object('id', m.id, 'name', m.name, 'countries', m.countries,
                                 'pricelist', p.name, 'allocationRule', r.name)
          FROM markets m
          JOIN pricelists p ON p.id = m.pricelist_id
          JOIN allocation_rules r ON r.id = m.allocation_rule_id
         ORDER BY m.id""",
    "items": f"""
        SELECT json_build_object(
                 'id', i.id, 'sku', i.sku, 'ean', i.ean, 'upc', i.upc, 'product', i.product,
                 'variant', i.variant, 'size', i.size, 'brand', i.brand, 'active', i.active,
                 'markets', (SELECT coalesce(json_agg(m.name ORDER BY m.id), '[]')
                               FROM markets m WHERE m.id = ANY(i.market_ids) HAVING i.market_ids IS NOT NULL),
                 'prices', (SELECT coalesce(json_object_agg(
                                       l.name, round(p.price, {_DECIMALS.format("l.currency")})::text
                                       ORDER BY l.id), '{{}}')
                              FROM prices p JOIN pricelists l ON l.id = p.pricelist_id
                             WHERE p.item_id = i.id),
                 'stock', (SELECT coalesce(json_object_agg(w.name, s.physical ORDER BY w.id), '{{}}')
                             FROM stock s JOIN warehouses w ON w.id = s.warehouse_id
                            WHERE s.item_id = i.id))
          FROM items i ORDER BY i.id""",  # noqa: S608 - our own text
    "campaigns": """
        SELECT json_build_object(
                 'id', c.id, 'name', c.name, 'pricelist', p.name, 'percent', c.percent::text,
                 'from', c.starts_at, 'to', c.ends_at,
                 'skus', (SELECT json_agg(i.sku ORDER BY i.id) FROM items i WHERE i.id = ANY(c.item_ids)))
          FROM campaigns c JOIN pricelists p ON p.id = c.pricelist_id ORDER BY c.id""",
    "vouchers": f"""
        SELECT json_build_object(
                 'id', id, 'code', code, 'name', name, 'automatic', automatic, 'percent', percent::text,
                 'amount', {_amounts("amounts")}, 'minimum', {_amounts("minimums")}, 'uses', uses,
                 'active', active, 'from', starts_at, 'to', ends_at,
                 'markets', (SELECT coalesce(json_agg(m.name ORDER BY m.id), '[]')
                               FROM markets m WHERE m.id = ANY(market_ids) HAVING market_ids IS NOT NULL))
          FROM vouchers ORDER BY id""",  # noqa: S608 - our own text
    "accounts": """
        SELECT json_build_object(
                 'id', a.id, 'name', a.name, 'address', a.address,
                 'buyers', (SELECT coalesce(json_agg(json_build_object('id', b.id, 'name', b.name,
                                                              'default', b.is_default) ORDER BY b.id), '[]')
                              FROM buyers b WHERE b.account_id = a.id))
          FROM accounts a ORDER BY a.id""",
    "deliveryWindows": """
        SELECT json_build_object('id', id, 'name', name, 'preorder', preorder)
          FROM delivery_windows ORDER BY id""",
}


@contextmanager
def exported_lists(engine: Engine) -> Iterator[Iterator[tuple[str, Iterator[str]]]]:
    """Every list of the catalog with its rows as JSON texts, to be read in turn inside the block.

    Raises PersistenceError.
    """
    with snapshot(engine) as connection:
        # Whoever reads may pause: a pager, a full pipe.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        streaming = {"stream_results": True, "yield_per": _ROWS_AT_ONCE}

        def rows(query: str) -> Iterator[Any]:
            # As text: what PostgreSQL wrote is passed on as it is.
            wrapped = text(f"SELECT made::text FROM ({query}) AS rows(made)")  # noqa: S608 - our own text
            yield from connection.execute(wrapped, execution_options=streaming).scalars()

        yield ((name, rows(query)) for name, query in _LISTS.items())
