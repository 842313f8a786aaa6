"""Which orders a page has: the filters of a list as SQL, each by an index, whatever the number of orders."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from shared.domain.mailbox import mailbox_of
from shared.domain.order_list import ORDER_STATES, OrderEdge, OrderFilter
from shared.persistence.core.tables import customers, orders

_PLACE: Final = (orders.c.created_at, orders.c.number)


def numbers_of_page(wanted: OrderFilter) -> CTE:
    """The page's orders, and one more where there are others: ``number`` and ``created_at``, unordered."""
    most = wanted.limit + 1
    if _is_of_few(wanted):
        # Found first, and then sorted: read from the newest on until some match, it could be all there are.
        found = _orders(wanted).cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
        matching = select(found.c.number, found.c.created_at)
    elif wanted.customer_id is not None:
        matching = _orders(wanted)
    else:
        # Each state's newest by the index that has them in order.
        last = most + wanted.offset
        of_states = [
            _in_order(_orders(wanted, state), wanted.backwards).limit(last) for state in _states(wanted)
        ]
        found = union_all(*of_states).cte("found")
        matching = select(found.c.number, found.c.created_at)
    return _in_order(matching, wanted.backwards).limit(most).offset(wanted.offset).cte("page")


def in_order(page: CTE, *, backwards: bool) -> tuple[ColumnElement[Any], ...]:
    """By what a page is ordered: newest first, or, backwards, oldest first."""
    place = (page.c.created_at, page.c.number)
    return place if backwards else tuple(one.desc() for one in place)


def _in_order(matching: Select[Any], backwards: bool) -> Select[Any]:
    place = tuple(matching.selected_columns[name] for name in ("created_at", "number"))
    return matching.order_by(*(place if backwards else (one.desc() for one in place)))


def _is_of_few(wanted: OrderFilter) -> bool:
    """Whether the filter names something that few orders have, of whatever age."""
    names = (wanted.number, wanted.batch_key, wanted.job_id, wanted.po_number, wanted.email)
    return any(name is not None for name in names)


def _states(wanted: OrderFilter) -> tuple[str, ...]:
    return ORDER_STATES if wanted.states is None else wanted.states


def _orders(wanted: OrderFilter, state: str | None = None) -> Select[Any]:
    """All orders that match, of one state if it is given."""
    conditions = [*_names(wanted), *_moments(wanted)]
    if state is not None:
        conditions.append(orders.c.state == state)
    elif wanted.states is not None:
        conditions.append(orders.c.state.in_(wanted.states))
    if wanted.market_ids is not None:
        conditions.append(orders.c.market_id.in_(sorted(wanted.market_ids)))
    return select(orders.c.number, orders.c.created_at).where(*conditions)


def _names(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.number is not None:
        conditions.append(orders.c.number == wanted.number)
    if wanted.customer_id is not None:
        conditions.append(orders.c.customer_id == wanted.customer_id)
    if wanted.batch_key is not None:
        conditions += _has_key(wanted.batch_key)
    if wanted.job_id is not None:
        conditions.append(orders.c.job_id == wanted.job_id)
    if wanted.po_number is not None:
        conditions.append(orders.c.po_number == wanted.po_number)
    if wanted.email is not None:
        conditions.append(orders.c.customer_id.in_(_customers_of(wanted.email)))
    return conditions


def _has_key(batch_key: str) -> list[ColumnElement[bool]]:
    """The key as it is stored, and its hash, which is what the index has."""
    stored = literal(msgspec.json.encode(batch_key).decode())
    return [
        func.hashtextextended(orders.c.batch_key, 0) == func.hashtextextended(stored, 0),
        orders.c.batch_key == stored,
    ]


def _customers_of(email: str) -> Select[Any]:
    """The customer that is registered for this mailbox, and those who have it as it is spelt."""
    mailbox = mailbox_of(email)
    spelt = [func.lower(customers.c.email) == func.lower(literal(one)) for one in (email, mailbox)]
    return select(customers.c.id).where(or_(customers.c.registered_email == mailbox, *spelt))


def _moments(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.created_from is not None:
        conditions.append(orders.c.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        conditions.append(orders.c.created_at < wanted.created_before)
    if wanted.modified_from is not None:
        since = wanted.modified_from
        # An order that was never changed has no moment of a change: it costs no entry in an index.
        conditions.append(or_(orders.c.created_at >= since, orders.c.modified_at >= since))
    if wanted.edge is not None:
        conditions.append(_beyond(wanted.edge))
    return conditions


def _beyond(edge: OrderEdge) -> ColumnElement[bool]:
    place, own = tuple_(*_PLACE), tuple_(literal(edge.created_at), literal(edge.number))
    return place > own if edge.backwards else place < own
