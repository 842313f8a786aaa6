"""decimals of currencies

The columns of money lose their scale: amounts have the decimals of their currency, three at most. PostgreSQL
rewrites a table, and all its indexes, to go from numeric(12, 2) to numeric(15, 3); for a numeric without a
scale only the column's entry changes. That amounts fit numeric(15, 3) is kept by the constraints, which
refuse what the type would round. For them each table is read once, locked against everybody else.
"""

from alembic import op

revision = "0016"
down_revision = "0011"
# Older code goes on in hundredths, as it did.
serves = "0014"

_ADDS_UP = "grand_total = lines_total + shipping_value - voucher_value AND "
_WERE_POSITIVE = (
    "grand_total >= 0 AND lines_total >= 0 AND shipping_value >= 0 AND voucher_value >= 0"
    " AND grand_total < 'NaN'"
)
_WAS = (
    ("prices", ("price",), "price_not_negative", "price >= 0 AND price < 'NaN'"),
    (
        "orders",
        ("lines_total", "shipping_value", "voucher_value", "grand_total"),
        "money_adds_up",
        f"{_ADDS_UP}{_WERE_POSITIVE}",
    ),
    (
        "order_lines",
        ("unit_price", "original_price"),
        "prices_not_negative",
        "unit_price >= 0 AND unit_price < 'NaN' AND original_price >= 0 AND original_price < 'NaN'",
    ),
    ("payments", ("amount",), "amount_not_negative", "amount >= 0 AND amount < 'NaN'"),
)


def upgrade() -> None:
    for table, columns, name, _ in _WAS:
        fits = " AND ".join(f"{one} >= 0 AND {one} < 1000000000000 AND scale({one}) <= 3" for one in columns)
        _change(table, columns, "numeric", name, (_ADDS_UP if table == "orders" else "") + fits)


def downgrade() -> None:
    for table, columns, name, condition in _WAS:
        _change(table, columns, "numeric(12, 2)", name, condition)


def _change(table: str, columns: tuple[str, ...], to: str, name: str, condition: str) -> None:
    types = ", ".join(f"ALTER COLUMN {column} TYPE {to}" for column in columns)
    # In one statement: the table is locked, and read, once.
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{name}, {types},"
        f" ADD CONSTRAINT {table}_{name} CHECK ({condition})"
    )
