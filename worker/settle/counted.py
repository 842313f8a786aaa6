"""What is counted: stock, uses of vouchers and order numbers, as the orders of a transaction take them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection

from shared.domain.allocation import AvailableStock, StockKey
from shared.domain.vouchers import Uses
from shared.persistence.core.reservations import reserve
from shared.persistence.jobs.dry_run import DryRun
from shared.persistence.jobs.slices import Claim
from shared.persistence.orders.insert import draw_numbers
from shared.persistence.orders.voucher_uses import lock_uses, use
from shared.persistence.stock.lock import lock_stock, look_at_stock


class Counted:
    """What there is. ``thresholds`` are the units that a warehouse never sells, by its id."""

    def __init__(self, connection: Connection, thresholds: Mapping[int, int]) -> None:
        self._connection = connection
        self._thresholds = thresholds

    def look_at_stock(self, item_ids: Collection[int]) -> AvailableStock:
        """What is available of these items now; nothing is locked."""
        return look_at_stock(self._connection, item_ids, self._thresholds)

    def lock_stock(self, item_ids: Collection[int]) -> AvailableStock:
        """The same, locked until the transaction ends."""
        return lock_stock(self._connection, item_ids, self._thresholds)

    def lock_uses(self, voucher_ids: Collection[int]) -> Uses:
        """How often these vouchers may still be used, locked until the transaction ends."""
        return lock_uses(self._connection, voucher_ids)

    def draw_numbers(self, count: int, claimed: Collection[int]) -> Iterator[int]:
        """Automatic order numbers, none of which is ``claimed``."""
        return draw_numbers(self._connection, count, claimed)

    def take(self, units: Mapping[StockKey, int], uses: Mapping[int, int]) -> None:
        """Take these units and uses of what this transaction has locked."""
        reserve(self._connection, units)
        use(self._connection, uses)


class CountedDry(Counted):
    """What there would be in a dry run: less what its earlier slices would have taken."""

    def __init__(self, connection: Connection, thresholds: Mapping[int, int], dry_run: DryRun) -> None:
        super().__init__(connection, thresholds)
        self._dry_run = dry_run

    def look_at_stock(self, item_ids: Collection[int]) -> AvailableStock:
        """What is available of these items now; nothing is locked."""
        return super().look_at_stock(item_ids).less(self._dry_run.earlier_units(self._connection, item_ids))

    def lock_stock(self, item_ids: Collection[int]) -> AvailableStock:
        """The same, locked until all is taken back."""
        return super().lock_stock(item_ids).less(self._dry_run.earlier_units(self._connection, item_ids))

    def lock_uses(self, voucher_ids: Collection[int]) -> Uses:
        """How often these vouchers could still be used, locked until all is taken back."""
        return super().lock_uses(voucher_ids).less(self._dry_run.earlier_uses(self._connection, voucher_ids))

    def draw_numbers(self, count: int, claimed: Collection[int]) -> Iterator[int]:
        """Numbers that no order has: what is taken back leaves no gap in the others."""
        return draw_numbers(self._connection, count, claimed, dry_run=True)

    def take(self, units: Mapping[StockKey, int], uses: Mapping[int, int]) -> None:
        """Take them for a moment, and keep in mind how many."""
        super().take(units, uses)
        self._dry_run.units.update(units)
        self._dry_run.uses.update(uses)


def counted_for(connection: Connection, claim: Claim, thresholds: Mapping[int, int]) -> Counted:
    """What the orders of these claimed slices are decided by."""
    if claim.dry_run is None:
        return Counted(connection, thresholds)
    return CountedDry(connection, thresholds, claim.dry_run)
