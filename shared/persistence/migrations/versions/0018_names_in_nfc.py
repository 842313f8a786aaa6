"""names in NFC

Orders and catalog files name things in Unicode's NFC. What an earlier version stored in another form would be
found by nobody, and a load would make it once more. A name that another row has already stays apart from it,
with the row's id behind it: "Öl (17)". The row that has it in NFC keeps it, else the earliest.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
# Older code finds by NFC what it did not find before.
serves = "0014"

_UNIQUE = (
    ("warehouses", "name"),
    ("allocation_rules", "name"),
    ("pricelists", "name"),
    ("markets", "name"),
    ("shipping_options", "uri"),
    ("items", "sku"),
    ("items", "ean"),
    ("items", "upc"),
    ("campaigns", "name"),
    ("vouchers", "name"),
    ("accounts", "name"),
    ("delivery_windows", "name"),
)


def upgrade() -> None:
    changed = 0
    for table, column in _UNIQUE:
        renamed = _rename(table, column)
        changed += len(renamed)
        if column == "uri":
            _follow(renamed)
    changed += _rename_buyers()
    if changed:
        # What workers keep of the catalog is kept by its version.
        op.execute("UPDATE catalog_state SET version = version + 1")


def downgrade() -> None:
    """Nothing: one form of a name was as good as another."""


def _rename(table: str, column: str) -> list[tuple[str, str]]:
    """Bring a column's names into NFC; the names before and after."""
    connection = op.get_bind()
    # Of ASCII there is one form, and nearly all names are in it.
    rows = sa.table(table, sa.column("id"), sa.column(column))
    names = rows.c[column]
    odd = sa.select(rows.c.id, names.label("name")).where(names.op("~")("[^\\x01-\\x7f]")).order_by(rows.c.id)
    holder = sa.select(sa.literal(1)).where(names == sa.bindparam("wanted"))
    change = (
        sa.update(rows).where(rows.c.id == sa.bindparam("row_id")).values({column: sa.bindparam("wanted")})
    )
    renamed = []
    for row in connection.execute(odd).all():
        name = unicodedata.normalize("NFC", row.name)
        if name == row.name:
            continue
        while connection.execute(holder, {"wanted": name}).first() is not None:
            name = f"{name} ({row.id})"
        connection.execute(change, {"wanted": name, "row_id": row.id})
        renamed.append((row.name, name))
    return renamed


def _follow(renamed: list[tuple[str, str]]) -> None:
    """Let orders go on naming the shipping option that they were sold with: mails say what it is called."""
    change = sa.text("UPDATE orders SET shipping_uri = :after WHERE shipping_uri = :before")
    for before, after in renamed:
        op.get_bind().execute(change, {"before": before, "after": after})


def _rename_buyers() -> int:
    """The same of buyers, of whom an account may have several of one name."""
    connection = op.get_bind()
    odd = sa.text("SELECT account_id, id, name FROM buyers WHERE name ~ '[^\\x01-\\x7f]'")
    change = sa.text("UPDATE buyers SET name = :name WHERE account_id = :account_id AND id = :id")
    names = [(row, unicodedata.normalize("NFC", row.name)) for row in connection.execute(odd).all()]
    changed = [
        {"account_id": row.account_id, "id": row.id, "name": name} for row, name in names if name != row.name
    ]
    if changed:
        connection.execute(change, changed)
    return len(changed)
