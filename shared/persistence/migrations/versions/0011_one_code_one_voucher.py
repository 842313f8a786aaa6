"""one code, one voucher"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0014"
# Older code reads what it did; a voucher that it writes gets its key with the next load.
serves = "0014"

_CODES = sa.text("SELECT id, code FROM vouchers WHERE code IS NOT NULL ORDER BY id DESC")
_KEY = sa.text("UPDATE vouchers SET code_key = :key WHERE id = :id")
# One that applies by itself goes on doing so; the other has had no use since the later one hides it.
_ASIDE = sa.text(
    "UPDATE vouchers SET code = :code, code_key = :key, uses = CASE WHEN automatic THEN uses ELSE used END"
    " WHERE id = :id"
)


def upgrade() -> None:
    op.add_column("vouchers", sa.Column("code_key", sa.Text()))
    connection = op.get_bind()
    rows = connection.execute(_CODES).all()
    taken: set[str] = set()
    hidden = []
    for row in rows:
        key = _key(row.code)
        if key in taken:
            hidden.append(row)
        else:
            # The last one that was made is the one that orders find.
            taken.add(key)
            connection.execute(_KEY, {"id": row.id, "key": key})
    for row in hidden:
        code = f"{row.code} ({row.id})"
        while _key(code) in taken:
            code = f"{code} ({row.id})"
        taken.add(_key(code))
        connection.execute(_ASIDE, {"id": row.id, "code": code, "key": _key(code)})
    op.create_unique_constraint(op.f("vouchers_code_key_key"), "vouchers", ["code_key"])


def downgrade() -> None:
    op.drop_column("vouchers", "code_key")


def _key(code: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", code).casefold())
