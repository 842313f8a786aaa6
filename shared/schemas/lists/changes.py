"""GET /v1/orders/changes: what may be asked, and how a page is answered."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields

from shared.domain.order_changes import ChangeCursor, ChangePage, ChangePlace, From, NoPlace
from shared.domain.outcome import Fault
from shared.domain.reasons import FEED_BEGAN_ANEW, NOT_CURSOR
from shared.schemas.fields import Whole
from shared.schemas.lists.cursors import Cursor, written
from shared.schemas.lists.listed_order import ListedOrderSchema
from shared.schemas.lists.orders import DEFAULT_LIMIT, ORDERS_JSON, bound

WAIT_SECONDS_MAX: Final = 86_400
"""More than any wait that is allowed: one that is too long is shortened, not refused."""


def _doc(text: str) -> dict[str, str]:
    return {"description": text}


class ChangesCursor(Cursor):
    """A place in the feed; ``now`` is the present one."""

    pattern = re.compile(rb"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})")
    taken_from = "the last answer's cursor, or write now"

    def place(self, found: re.Match[bytes]) -> ChangeCursor:
        """Give the cursor."""
        generation, *place = map(int, found.groups())
        return ChangeCursor(generation, ChangePlace(*place))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return From.NOW if value == From.NOW.value else super()._deserialize(value, attr, data, **kwargs)


def changes_cursor_text(cursor: ChangeCursor) -> str:
    """Write a place in the feed."""
    place = cursor.place
    numbers = (cursor.generation, place.transaction_id, place.row_id, place.position)
    return written(b"%d.%d.%d.%d" % numbers)


class ChangesQuery(Schema):
    """The parameters of GET /v1/orders/changes."""

    after = ChangesCursor(
        load_default=From.BEGINNING,
        metadata=_doc(
            "The `cursor` of the last answer; `now`: what is made or changed from now on. Without it the "
            "feed begins with the first order that there is."
        ),
    )
    limit = Whole(
        least=1,
        most=DEFAULT_LIMIT,
        metadata=_doc("Orders in the page, at most; 100 unless told. It has fewer where they are large."),
    )
    wait = Whole(
        least=0,
        most=WAIT_SECONDS_MAX,
        load_default=0,
        metadata=_doc(
            "Seconds to wait for a change where there is none; no longer than `maxWaitSeconds`, and not at "
            "all where too many wait already."
        ),
    )

    def __init__(self, *, page_max: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bound(self, "limit", page_max)
        self.fields["limit"].load_default = min(DEFAULT_LIMIT, page_max)


def no_place(why: NoPlace) -> Fault:
    """The fault of a cursor that is no place in this feed."""
    if why is NoPlace.NOT_REACHED:
        msg = "is a place that this feed has not come to; take it from the last answer's cursor"
        return Fault(NOT_CURSOR, "/after", msg)
    msg = "is a place in another database's feed, or in this one's before it began anew"
    return Fault(FEED_BEGAN_ANEW, "/after", f"{msg}; leave it out, and read from the beginning")


class ChangeListSchema(Schema):
    """A page of orders that were made or changed."""

    status = fields.Constant("ok", metadata=_doc("ok"))
    orders = fields.List(
        fields.Nested(ListedOrderSchema),
        metadata=_doc("In the order in which their changes became visible, each once and as it is now."),
    )
    cursor = fields.String(metadata=_doc("The `after` to ask with next."))
    more = fields.Boolean(metadata=_doc("Whether further changes are there already."))


@cache
def _schema() -> ChangeListSchema:
    return ChangeListSchema()


def change_list_json(page: ChangePage, zone: ZoneInfo) -> bytes:
    """Give a page of changed orders as JSON, their dates told in ``zone``."""
    orders = [order.in_zone(zone) for order in page.orders]
    told = {"orders": orders, "cursor": changes_cursor_text(page.cursor), "more": page.more}
    return ORDERS_JSON.encode(_schema().dump(told))
