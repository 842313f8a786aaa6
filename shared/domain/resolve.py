"""Looking up what an order request names: faults of all kinds at once, or a draft."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from shared.domain.draft import Buyer, Draft, DraftLine
from shared.domain.locate import Place, Snapshot, locate
from shared.domain.order import MOST_MONEY, OrderRequest
from shared.domain.outcome import Code, Fault, Rejected, number_taken, reject
from shared.domain.parsed import Parsed
from shared.domain.pricing import ZERO, totals
from shared.domain.products import find_item, line_faults


def resolve(request: OrderRequest, snapshot: Snapshot) -> Draft | list[Fault]:
    """The draft of a well-formed order, or every fault that looking it up brings to light."""
    country = request.delivery.country if request.delivery else None
    place, faults = locate(request.references, country, snapshot)
    lines: list[DraftLine] = []
    if place is not None:
        lines, line_problems = _lines(request, place, snapshot)
        faults = [*faults, *line_problems]
    buyer, buyer_faults = _buyer(request, snapshot)
    faults = [*faults, *buyer_faults]
    if place is None or faults or request.invoice is None or request.delivery is None:
        return faults
    draft = Draft(
        request=request,
        market=place.market,
        pricelist=place.pricelist,
        rule=place.rule,
        invoice=request.invoice,
        delivery=request.delivery,
        lines=tuple(lines),
        buyer=buyer,
        totals=totals(
            sum((line.unit_price * line.request.quantity for line in lines), ZERO),
            request.shipping_value or ZERO,
            request.voucher_value or ZERO,
        ),
    )
    return _too_much(draft) or draft


def _lines(request: OrderRequest, place: Place, snapshot: Snapshot) -> tuple[list[DraftLine], list[Fault]]:
    lines: list[DraftLine] = []
    faults: list[Fault] = []
    for position, wanted in enumerate(request.lines):
        item, problems = find_item(position, wanted, snapshot.assortment, force=request.force_create)
        problems = problems or line_faults(
            position, wanted, item, place.market, place.pricelist, force=request.force_create
        )
        if problems:
            faults.extend(problems)
            continue
        listed = item.prices.get(place.pricelist.id) if item else None
        unit_price = _first(wanted.unit_price, listed)
        lines.append(
            DraftLine(
                line=position,
                request=wanted,
                item=item,
                sku=item.sku if item else wanted.sku or wanted.ean or str(wanted.item_id),
                unit_price=unit_price,
                original_price=_first(wanted.original_price, listed, unit_price),
                shippable=item is not None and item.active and item.sold_in(place.market),
            )
        )
    return lines, faults


def _first(*amounts: Decimal | None) -> Decimal:
    return next((amount for amount in amounts if amount is not None), ZERO)


def _buyer(request: OrderRequest, snapshot: Snapshot) -> tuple[Buyer, list[Fault]]:
    customers = snapshot.customers
    email = request.invoice.email or "" if request.invoice else ""
    wanted = request.references.customer_id
    if wanted is not None:
        known = wanted in customers.known_ids
        msg = f"no customer has id {wanted}"
        faults = [] if known else [Fault(Code.CUSTOMER, "/customerId", msg)]
        return Buyer(wanted, email, register=False), faults
    if request.customer_register:
        return Buyer(customers.registered.get(email.lower()), email, register=True), []
    return Buyer(None, email, register=False), []


def _too_much(draft: Draft) -> list[Fault]:
    sums: Sequence[Decimal] = (draft.totals.lines, draft.totals.lines + draft.totals.shipping)
    if all(amount <= MOST_MONEY for amount in sums):
        return []
    msg = f"the order comes to {sums[-1]}; the most that one order can come to is {MOST_MONEY}"
    return [Fault(Code.GENERAL, "", msg)]


def wanted_customer_ids(requests: Iterable[OrderRequest]) -> set[int]:
    """The customers that these orders name by id."""
    return {r.references.customer_id for r in requests if r.references.customer_id is not None}


def wanted_emails(requests: Iterable[OrderRequest]) -> set[str]:
    """The lower-case e-mails of orders that go to a registered customer."""
    return {
        r.invoice.email.lower()
        for r in requests
        if r.customer_register and r.references.customer_id is None and r.invoice and r.invoice.email
    }


def prepare(parsed: Parsed, snapshot: Snapshot, *, repeated: bool) -> Draft | Rejected:
    """The draft of what was read, or its rejection with all faults of the code that comes first.

    ``repeated``: its order number stands earlier in the same batch.
    """
    faults = list(parsed.faults)
    if parsed.request is None:
        _, more = locate(parsed.references, parsed.country, snapshot)
        return reject([*faults, *more])
    draft = resolve(parsed.request, snapshot)
    if isinstance(draft, list):
        faults.extend(draft)
    number = parsed.request.order_number
    if number is not None and number in snapshot.taken_numbers:
        faults.append(number_taken(number, "exists"))
    elif number is not None and repeated:
        faults.append(number_taken(number, "is used earlier in the same batch"))
    return reject(faults) if faults or isinstance(draft, list) else draft
