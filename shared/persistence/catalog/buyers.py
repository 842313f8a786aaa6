"""The buyers of the accounts in a catalog file. Their ids count within the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from shared.domain.catalog_file import AccountRow, BuyerRow, Count
from shared.domain.outcome import quoted
from shared.persistence.core.tables import buyers

_Known = dict[int, tuple[str, bool]]
"""One account's buyers: id → name and whether it is the default."""


def load_buyers(
    connection: Connection, accounts: Sequence[AccountRow], ids: Mapping[str, int], faults: list[str]
) -> Count:
    """Upsert the buyers of these accounts, whose ``ids`` are known by name. Other buyers stay.

    New ones without a name go to ``faults``.
    """
    count = Count()
    before = _read(connection, [ids[account.name] for account in accounts])
    inserted, changed = [], []
    for account in accounts:
        account_id = ids[account.name]
        known = before.get(account_id, {})
        if account.buyers is None:
            count.changed += _clear(connection, account_id, known)
            continue
        wanted = _wanted(known, account, faults)
        for buyer_id, (name, is_default) in wanted.items():
            row = {"account_id": account_id, "id": buyer_id, "name": name, "is_default": is_default}
            if buyer_id not in known:
                inserted.append(row)
            elif known[buyer_id] != (name, is_default):
                changed.append(row)
        count.unchanged += len(account.buyers)
    if faults:
        return count
    if inserted:
        connection.execute(insert(buyers), inserted)
    for row in changed:
        mine = (buyers.c.account_id == row["account_id"], buyers.c.id == row["id"])
        connection.execute(update(buyers).where(*mine).values(row))
    count.inserted, count.changed = len(inserted), count.changed + len(changed)
    count.unchanged = max(count.unchanged - len(inserted) - len(changed), 0)
    return count


def _read(connection: Connection, account_ids: Sequence[int]) -> dict[int, _Known]:
    found: dict[int, _Known] = {}
    query = select(buyers).where(buyers.c.account_id.in_(account_ids)).order_by(buyers.c.id)
    for row in connection.execute(query):
        found.setdefault(row.account_id, {})[row.id] = (row.name, row.is_default)
    return found


def _clear(connection: Connection, account_id: int, known: _Known) -> int:
    """Take an account's buyers away; how many those were."""
    if known:
        connection.execute(delete(buyers).where(buyers.c.account_id == account_id))
    return len(known)


def _wanted(known: _Known, account: AccountRow, faults: list[str]) -> _Known:
    """An account's buyers as they shall be. One without an id is known by its name."""
    listed: Sequence[BuyerRow] = account.buyers or ()
    wanted: _Known = {}
    if any(buyer.is_default for buyer in listed):
        # The file names another default: nobody else is it any longer.
        wanted = {buyer_id: (name, False) for buyer_id, (name, _) in known.items()}
    taken = {buyer.id for buyer in listed if buyer.id is not None}
    for at, buyer in enumerate(listed):
        buyer_id = buyer.id
        if buyer_id is None:
            same = (i for i, (name, _) in known.items() if name == buyer.name and i not in taken)
            buyer_id = next(same, None) or max([0, *known, *taken]) + 1
            taken.add(buyer_id)
        before = wanted.get(buyer_id) or known.get(buyer_id)
        name = buyer.name or (before[0] if before else None)
        if name is None:
            pointer = f"accounts[{account.at}].buyers[{at}].name"
            faults.append(f"{pointer}: is required; {quoted(account.name)} has no buyer {buyer_id} yet")
            continue
        wanted[buyer_id] = (
            name,
            buyer.is_default if before is None or "default" in buyer.named else before[1],
        )
    return wanted
