"""Resolution of what an order request names: faults of all kinds at once, or a draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from shared.domain.catalog import Account, Item, Market, Pricelist
from shared.domain.currencies import amount_faults, counted, unit
from shared.domain.draft import Buyer, Doomed, Draft, DraftLine
from shared.domain.locate import SalesChannel, Snapshot, counted_in, currency_faults, locate
from shared.domain.mailbox import mailbox_of
from shared.domain.order import (
    MOST_MONEY,
    Address,
    LineRequest,
    OrderNames,
    OrderRequest,
    all_line_amounts,
    has_other_amounts,
    line_amounts,
    other_amounts,
)
from shared.domain.outcome import PRECEDENCE, Fault, Rejected, reject
from shared.domain.parsed import Parsed, as_sent
from shared.domain.pricing import ZERO
from shared.domain.products import find_item, line_faults
from shared.domain.reasons import CUSTOMER_UNKNOWN, TOTAL_TOO_LARGE, VOUCHER_USED_UP
from shared.domain.rejections import number_repeated, number_taken
from shared.domain.terms import address_faults, addresses, find_terms, ship
from shared.domain.vouchers import (
    Applied,
    Sale,
    apply_automatic,
    apply_codes,
    named_vouchers,
    obstacle,
)


def resolve(request: OrderRequest, snapshot: Snapshot) -> Draft | Doomed:
    """The draft of a well-formed order, or every fault that looking it up brings to light."""
    terms, faults = find_terms(request.names, snapshot)
    invoice, delivery, missing = addresses(request, terms.account)
    channel, channel_faults = locate(request.names, delivery.country if delivery else None, snapshot)
    lines, line_problems = _lines(request, channel, snapshot) if channel else ([], [])
    buyer, buyer_faults = _buyer(request, invoice, snapshot)
    faults = [*faults, *missing, *channel_faults, *line_problems, *buyer_faults]
    if has_other_amounts(request):
        faults += amount_faults(other_amounts(request), counted_in(request.names, channel))
    if channel is None:
        faults.extend(amount_faults(all_line_amounts(request), request.names.currency))
    if channel is None or invoice is None or delivery is None:
        return _doomed(faults, request.names, channel, snapshot)
    shipping, ship_faults = ship(request, delivery.country, channel.pricelist.currency, snapshot)
    faults.extend(ship_faults)
    if line_problems:
        return _doomed(faults, request.names, channel, snapshot)
    faults.extend(currency_faults(request.names, channel.pricelist, snapshot.catalog))
    draft = Draft(
        request=request,
        market=channel.market,
        pricelist=channel.pricelist,
        rule=channel.rule,
        invoice=invoice,
        delivery=delivery,
        lines=tuple(lines),
        buyer=buyer,
        terms=terms,
        shipping=shipping,
    )
    applied, voucher_faults = _vouchers(draft, snapshot)
    faults = [*faults, *voucher_faults, *_too_much(draft)]
    if faults:
        return Doomed(tuple(faults), _counted(applied))
    return replace(draft, vouchers=applied) if applied else draft


def _doomed(
    faults: list[Fault], names: OrderNames, channel: SalesChannel | None, snapshot: Snapshot
) -> Doomed:
    """An order whose lines come to nothing that could be told, with what else is wrong with its names."""
    named = named_vouchers(names.voucher_codes, snapshot.catalog.voucher_codes)
    sale = Sale(snapshot.moment)
    if channel is not None:
        faults = [*faults, *currency_faults(names, channel.pricelist, snapshot.catalog)]
        sale = _sale(channel.market, channel.pricelist, snapshot)
    obstacles = (obstacle(voucher, position, sale) for position, voucher in named)
    faults = [*faults, *(one for one in obstacles if one is not None)]
    return Doomed(tuple(faults), _counted([Applied(voucher, ZERO, position) for position, voucher in named]))


def _sale(
    market: Market, pricelist: Pricelist, snapshot: Snapshot, lines_total: Decimal | None = None
) -> Sale:
    """What vouchers ask for; no total where it is not known what the lines come to."""
    return Sale(snapshot.moment, market.id, market.name, pricelist.currency, lines_total)


def _counted(applied: Iterable[Applied]) -> tuple[Applied, ...]:
    """Of these vouchers those that were asked for and may be used up."""
    return tuple(one for one in applied if one.voucher.limited and one.position is not None)


def _vouchers(draft: Draft, snapshot: Snapshot) -> tuple[tuple[Applied, ...], list[Fault]]:
    """Those that were asked for, then the automatic ones."""
    codes, by_themselves = draft.request.names.voucher_codes, snapshot.catalog.automatic_vouchers
    if not codes and not by_themselves:
        return (), []
    sale = _sale(draft.market, draft.pricelist, snapshot, draft.lines_total)
    named, faults = apply_codes(codes, snapshot.catalog.voucher_codes, sale)
    if not draft.request.apply_vouchers:
        return tuple(named), faults
    given = {applied.voucher.id for applied in named}
    automatic = [v for v in by_themselves if v.id not in given]
    return (*named, *apply_automatic(automatic, sale)), faults


def _lines(
    request: OrderRequest, channel: SalesChannel, snapshot: Snapshot
) -> tuple[list[DraftLine], list[Fault]]:
    lines: list[DraftLine] = []
    faults: list[Fault] = []
    currency = counted_in(request.names, channel) or channel.pricelist.currency
    to = unit(currency)
    for position, wanted in enumerate(request.lines):
        item, problems = find_item(position, wanted, snapshot.assortment, force=request.force_create)
        problems = problems or line_faults(
            position, wanted, item, channel.market, channel.pricelist, force=request.force_create
        )
        as_counted = _in_units(wanted, to)
        if not as_counted:
            problems = [*problems, *amount_faults(line_amounts(position, wanted), currency)]
        if problems:
            faults.extend(problems)
            continue
        unit_price, original_price = wanted.unit_price, wanted.original_price
        if unit_price is None or original_price is None or not as_counted:
            unit_price, original_price = _prices(wanted, item, channel, snapshot, to)
        lines.append(
            DraftLine(
                line=position,
                request=wanted,
                item=item,
                sku=item.sku if item else wanted.sku or wanted.ean or wanted.upc or str(wanted.item_id),
                unit_price=unit_price,
                original_price=original_price,
                shippable=item is not None and item.active and item.sold_in(channel.market),
            )
        )
    return lines, faults


def _in_units(wanted: LineRequest, to: Decimal) -> bool:
    """Whether a line's amounts are written with the decimals of the unit, as nearly all are."""
    price, original = wanted.unit_price, wanted.original_price
    return (price is None or price.same_quantum(to)) and (original is None or original.same_quantum(to))


def _prices(
    wanted: LineRequest, item: Item | None, channel: SalesChannel, snapshot: Snapshot, to: Decimal
) -> tuple[Decimal, Decimal]:
    """Unit price and original price of a line, in whole units ``to``."""
    unit_price, original_price = wanted.unit_price, wanted.original_price
    if unit_price is None or original_price is None:
        listed = item.prices.get(channel.pricelist.id) if item else None
        if listed is not None:
            listed = counted(listed, to)
        if unit_price is None:
            unit_price = ZERO if listed is None else _offered(item, listed, channel, snapshot)
        if original_price is None:
            original_price = unit_price if listed is None else listed
    return counted(unit_price, to), counted(original_price, to)


def _offered(item: Item | None, listed: Decimal, channel: SalesChannel, snapshot: Snapshot) -> Decimal:
    """The pricelist's price with its running campaign."""
    if item is None:
        return listed
    return snapshot.catalog.campaign_price(item.id, channel.pricelist, listed, snapshot.moment)


def _buyer(request: OrderRequest, invoice: Address | None, snapshot: Snapshot) -> tuple[Buyer, list[Fault]]:
    customers = snapshot.customers
    email = (invoice.email or "") if invoice else ""
    wanted = request.names.customer_id
    if wanted is not None:
        known = wanted in customers.known_ids
        msg = f"no customer has id {wanted}"
        faults = [] if known else [Fault(CUSTOMER_UNKNOWN, "/customerId", msg)]
        return Buyer(wanted, email, register=False), faults
    if request.customer_register:
        return Buyer(customers.registered.get(mailbox_of(email)), email, register=True), []
    return Buyer(None, email, register=False), []


def _too_much(draft: Draft) -> list[Fault]:
    comes_to = draft.totals.lines + draft.totals.shipping
    if comes_to <= MOST_MONEY and draft.totals.lines <= MOST_MONEY:
        return []
    msg = f"the order comes to {comes_to}; the most that one order can come to is {MOST_MONEY}"
    return [Fault(TOTAL_TOO_LARGE, "", msg, {"most": str(MOST_MONEY)})]


def wanted_customer_ids(requests: Iterable[OrderRequest]) -> set[int]:
    """The customers that these orders name by id."""
    return {r.names.customer_id for r in requests if r.names.customer_id is not None}


def wanted_emails(requests: Iterable[OrderRequest], accounts: Mapping[int, Account]) -> set[str]:
    """The mailboxes of orders that go to a registered customer."""
    found: set[str] = set()
    for request in requests:
        if request.customer_register and request.names.customer_id is None:
            invoice, _, _ = addresses(request, accounts.get(request.names.account_id or 0))
            if invoice is not None and invoice.email is not None:
                found.add(mailbox_of(invoice.email))
    return found


def prepare(parsed: Parsed, snapshot: Snapshot, *, repeated: bool) -> Draft | Doomed | Rejected:
    """The draft of what was read, or its rejection with all faults of the code that comes first.

    ``repeated``: its order number stands earlier in the same batch.
    """
    if parsed.request is None:
        return _rejected(_misread(parsed, snapshot), parsed)
    found = resolve(parsed.request, snapshot)
    numbered = _number_faults(parsed.request.order_number, snapshot, repeated=repeated)
    if isinstance(found, Draft) and not numbered:
        return found
    faults = found.faults if isinstance(found, Doomed) else ()
    vouchers = found.vouchers if isinstance(found, Doomed) else _counted(found.vouchers)
    return _rejected(Doomed((*faults, *numbered), vouchers), parsed)


def _misread(parsed: Parsed, snapshot: Snapshot) -> Doomed:
    """All that is wrong with an order that could not be read whole, as far as what was read tells it."""
    terms, unknown = find_terms(parsed.names, snapshot)
    channel, nowhere = locate(parsed.names, parsed.country, snapshot)
    addressless = [] if parsed.addressed or terms.account is None else address_faults(terms.account)
    uncounted = amount_faults(parsed.amounts, counted_in(parsed.names, channel))
    faults = [*parsed.faults, *unknown, *nowhere, *addressless, *uncounted]
    return _doomed(faults, parsed.names, channel, snapshot)


def _number_faults(number: int | None, snapshot: Snapshot, *, repeated: bool) -> list[Fault]:
    if number is not None and repeated:
        # First, for whether the earlier one exists by now depends on how slices race.
        return [number_repeated(number)]
    return [number_taken(number)] if number is not None and number in snapshot.taken_numbers else []


def _rejected(doomed: Doomed, parsed: Parsed) -> Doomed | Rejected:
    """The rejection, unless it is open yet: a used-up voucher may be told with the others, or before them."""
    rejected = reject(as_sent(doomed.faults, parsed.element_names))
    goes_before = PRECEDENCE.index(rejected.code) < PRECEDENCE.index(VOUCHER_USED_UP.code)
    if goes_before or not doomed.vouchers:
        return rejected
    return replace(doomed, element_names=parsed.element_names)
