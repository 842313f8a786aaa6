"""customers by mailbox"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"

# Only of these may there be another spelling: the rest is in ASCII and in small letters already.
_SPELLED_OTHERWISE = sa.text(
    "SELECT id, registered_email FROM customers"
    " WHERE registered_email IS NOT NULL AND registered_email ~ '[^\\x01-\\x7f]' ORDER BY id"
)
_HELD_BY = sa.text("SELECT id FROM customers WHERE registered_email = :mailbox")
_REGISTER = sa.text("UPDATE customers SET registered_email = :mailbox WHERE id = :id")


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(_SPELLED_OTHERWISE).all():
        mailbox = _mailbox(row.registered_email)
        if mailbox == row.registered_email:
            continue
        holder = connection.execute(_HELD_BY, {"mailbox": mailbox}).scalar()
        if holder is not None:
            # Two customers of one mailbox: the earlier stays registered, the other keeps its orders.
            first, second = sorted((holder, row.id))
            connection.execute(_REGISTER, {"id": second, "mailbox": None})
            connection.execute(_REGISTER, {"id": first, "mailbox": mailbox})
        else:
            connection.execute(_REGISTER, {"id": row.id, "mailbox": mailbox})


def downgrade() -> None:
    """Nothing: one spelling of a mailbox was as good as another."""


def _mailbox(email: str) -> str:
    local, _, domain = email.rpartition("@")
    if not domain.isascii():
        plain = unicodedata.normalize("NFKC", re.sub("[\u3002\uff0e\uff61]", ".", domain))
        labels = unicodedata.normalize("NFKC", _small(plain)).split(".")
        domain = ".".join(
            one if one.isascii() else f"xn--{one.encode('punycode').decode('ascii')}" for one in labels
        )
    return f"{_small(local)}@{domain.lower()}"


def _small(text: str) -> str:
    small = "".join(map(str.lower, unicodedata.normalize("NFC", text)))
    return unicodedata.normalize("NFC", small)
