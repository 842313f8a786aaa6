"""The keys by which vouchers' codes are compared, of rows that somebody wrote without one."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select, update

from shared.domain.catalog_file import CatalogRefusedError
from shared.domain.outcome import quoted
from shared.domain.vouchers import code_key
from shared.persistence.core.database import transaction
from shared.persistence.core.tables import vouchers


def fill_code_keys(engine: Engine) -> None:
    """Give every code its key, in a transaction of its own: SQL, or a version before the keys, wrote none.

    Raises CatalogRefusedError if two codes are one, and PersistenceError.
    """
    with transaction(engine) as connection:
        without = (
            select(vouchers.c.id, vouchers.c.code)
            .where(vouchers.c.code.is_not(None), vouchers.c.code_key.is_(None))
            .order_by(vouchers.c.id)
        )
        for voucher_id, code in connection.execute(without).all():
            _fill(connection, voucher_id, code)


def _fill(connection: Connection, voucher_id: int, code: str) -> None:
    key = code_key(code)
    holder = connection.execute(select(vouchers.c.code).where(vouchers.c.code_key == key)).scalar()
    if holder is not None:
        fault = f"vouchers: the database has codes {quoted(holder)} and {quoted(code)}, which are one"
        raise CatalogRefusedError([f"{fault}; change one of them there"])
    connection.execute(update(vouchers).values(code_key=key).where(vouchers.c.id == voucher_id))
