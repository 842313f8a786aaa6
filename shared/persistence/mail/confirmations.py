"""The confirmations table: what waits to be sent, and the claim that makes a second mail impossible.

A row waits while ``handed_over_at`` and ``fault`` are both NULL. A claim sets both, in a commit of its own
before any of the mail is sent; the server's yes clears the fault. So a sender that dies in between leaves a
row that says what is true, that nobody knows, and that is never sent again. A fault alone: given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from shared.domain.confirmation import Confirmation, SoldLine, confirmed_lines
from shared.domain.delivery import Pauses
from shared.domain.mail_text import many_lines, one_line
from shared.persistence.core.database import transaction

NOT_KNOWN = "not known: the sender has not said what became of it"
"""The fault of a claim until its sender has heard from the server."""

_DUE = text(
    "SELECT order_number FROM confirmations"
    " WHERE handed_over_at IS NULL AND fault IS NULL AND next_try_at <= now()"
    " ORDER BY next_try_at LIMIT :most"
)
_WAITING_AMONG = text(
    "SELECT order_number FROM confirmations WHERE handed_over_at IS NULL AND fault IS NULL"
    " AND order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY order_number"
)
_BEGIN = text(
    "SELECT confirmations.tries, orders.job_id, jobs.request_id FROM confirmations"
    " JOIN orders ON orders.number = confirmations.order_number"
    # The job may have been pruned by now.
    " LEFT JOIN jobs ON jobs.id = orders.job_id"
    " WHERE order_number = :number AND handed_over_at IS NULL AND fault IS NULL AND next_try_at <= now()"
    " FOR UPDATE OF confirmations SKIP LOCKED"
)
_COUNT_TRY = text(
    "UPDATE confirmations SET tries = tries + 1,"
    " next_try_at = now() + CAST(:pause AS float8) * interval '1 second' WHERE order_number = :number"
)
_CLAIM = text(
    "UPDATE confirmations SET handed_over_at = :moment, fault = :fault"
    " WHERE order_number = :number AND handed_over_at IS NULL AND fault IS NULL"
)
_UNCLAIM = text(
    "UPDATE confirmations SET handed_over_at = NULL, fault = NULL"
    " WHERE order_number = :number AND handed_over_at = :moment"
)
_ACCEPTED = text(
    "UPDATE confirmations SET fault = NULL WHERE order_number = :number AND handed_over_at = :moment"
)
_UNKNOWN = text(
    "UPDATE confirmations SET fault = :fault WHERE order_number = :number AND handed_over_at = :moment"
)
_GIVE_UP = text(
    "UPDATE confirmations SET handed_over_at = NULL, fault = :fault WHERE order_number = :number"
    " AND handed_over_at IS NOT DISTINCT FROM CAST(:moment AS timestamptz)"
)
_PARTS = text(
    "SELECT orders.number, orders.order_date, orders.currency, orders.shipping_value, orders.voucher_value,"
    " orders.grand_total, orders.invoice_address, orders.delivery_address, orders.po_number, orders.comment,"
    " customers.email, COALESCE(shipping_options.name, '') AS shipping_name"
    " FROM orders JOIN customers ON customers.id = orders.customer_id"
    " LEFT JOIN shipping_options ON shipping_options.uri = orders.shipping_uri"
    " WHERE orders.first_number = :number AND orders.state NOT IN ('prepared', 'cancelled')"
    " ORDER BY orders.part"
)
_LINES = text(
    "SELECT order_lines.line, order_lines.sku, quantity, back_ordered, unit_price, original_price, comment,"
    " item_text, sold.brand, sold.product, sold.variant, sold.size"
    " FROM order_lines LEFT JOIN item_versions AS sold"
    " ON sold.item_id = order_lines.item_id AND sold.version = order_lines.item_version"
    " WHERE order_number = ANY(CAST(:numbers AS bigint[])) ORDER BY order_lines.line, order_number"
)


@dataclass(frozen=True, slots=True)
class Try:
    """A try that has begun. ``left``: how many may follow it; negative when it is one too many already."""

    tries: int
    left: int
    job_id: UUID
    request_id: str | None


def due_confirmations(engine: Engine, most: int) -> list[int]:
    """At most ``most`` order numbers whose mail's time has come, those that have waited longest first."""
    with transaction(engine) as connection:
        return list(connection.execute(_DUE, {"most": most}).scalars())


def waiting_among(engine: Engine, numbers: list[int]) -> list[int]:
    """Which of these order numbers have a mail that waits."""
    with transaction(engine) as connection:
        return list(connection.execute(_WAITING_AMONG, {"numbers": numbers}).scalars())


def begin_try(engine: Engine, number: int, pauses: Pauses, luck: float) -> Try | None:
    """Count a try and set the time of the next, before the work: a crash must not take the count back.

    None: nothing waits under this number, its time has not come, or another one has just begun.
    """
    with transaction(engine) as connection:
        row = connection.execute(_BEGIN, {"number": number}).one_or_none()
        if row is None:
            return None
        tries = row.tries + 1
        connection.execute(_COUNT_TRY, {"number": number, "pause": pauses.after(tries, luck)})
    return Try(tries, pauses.tries_max - tries, row.job_id, row.request_id)


def read_confirmation(engine: Engine, number: int) -> Confirmation | None:
    """What is to be told under a first order number. None: there is no completed order."""
    with transaction(engine) as connection:
        return _read(connection, number)


def _read(connection: Connection, number: int) -> Confirmation | None:
    parts = connection.execute(_PARTS, {"number": number}).all()
    if not parts:
        return None
    first = parts[0]
    numbers = [part.number for part in parts]
    return Confirmation(
        numbers=tuple(numbers),
        email=first.invoice_address.get("email") or first.email,
        ordered_at=first.order_date,
        currency=first.currency,
        lines=confirmed_lines(_sold(connection, numbers)),
        shipping_name=one_line(first.shipping_name),
        shipping_value=sum(part.shipping_value for part in parts),
        voucher_value=sum(part.voucher_value for part in parts),
        grand_total=sum(part.grand_total for part in parts),
        invoice=first.invoice_address,
        delivery=first.delivery_address,
        po_number=one_line(first.po_number or ""),
        comment=many_lines(first.comment or ""),
    )


def _sold(connection: Connection, numbers: list[int]) -> list[SoldLine]:
    return [
        SoldLine(
            line=row.line,
            sku=row.sku,
            quantity=row.quantity,
            back_ordered=row.back_ordered,
            unit_price=row.unit_price,
            original_price=row.original_price,
            comment=row.comment,
            item_text=row.item_text,
            item={name: getattr(row, name) or "" for name in ("brand", "product", "variant", "size")},
        )
        for row in connection.execute(_LINES, {"numbers": numbers})
    ]


def claim_delivery(engine: Engine, number: int, moment: datetime) -> bool:
    """Claim the mail, committed when this returns: True for one caller ever, unless it is taken back.

    ``moment`` is the caller's mark on the claim. Raises PersistenceError; then it may be claimed or not.
    """
    with transaction(engine) as connection:
        claimed = connection.execute(_CLAIM, {"number": number, "moment": moment, "fault": NOT_KNOWN})
        return claimed.rowcount == 1


def unclaim_delivery(engine: Engine, number: int, moment: datetime) -> None:
    """Have the mail tried again; only for the claimant, and only when nothing was handed over."""
    with transaction(engine) as connection:
        connection.execute(_UNCLAIM, {"number": number, "moment": moment})


def note_accepted(engine: Engine, number: int, moment: datetime) -> None:
    """The server has the mail."""
    with transaction(engine) as connection:
        connection.execute(_ACCEPTED, {"number": number, "moment": moment})


def note_unknown(engine: Engine, number: int, moment: datetime, fault: str) -> None:
    """Nobody knows whether the server has the mail; it stays claimed for ever."""
    with transaction(engine) as connection:
        connection.execute(_UNKNOWN, {"number": number, "moment": moment, "fault": fault})


def give_up(engine: Engine, number: int, moment: datetime | None, fault: str) -> None:
    """The mail was certainly not handed over and never will be; ``moment`` of the caller's claim, if any."""
    with transaction(engine) as connection:
        connection.execute(_GIVE_UP, {"number": number, "moment": moment, "fault": fault})
