"""Poison: a slice that ended its worker time and again, or that no worker can hold.

It is cut up into slices of one order each, until the one order that does it stands alone; and that one is
given up. An atomic one is given up whole. Nothing in it is read but where its members begin and end, and
little of it is in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec
import structlog
from sqlalchemy import Connection

from shared.domain.rejections import given_up
from shared.persistence.jobs.slices import Claim, TakenSlice, body_windows, cut_up
from worker.context import WorkerContext
from worker.settle.work import Placed, Work

log = structlog.get_logger()

_WINDOWS = 8
"""Parts of what a worker may hold that are read of a body at once."""

_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|["{}\[\],]', re.DOTALL)
"""Whole strings, to be stepped over; the beginning of one that goes on; and what holds members together."""
_STRING_END = re.compile(rb'["\\]')


def quarantine(context: WorkerContext, taken: TakenSlice) -> Work:
    """What cuts the slice up, or gives its only order up, or all where one cannot be made without another."""
    window_bytes = max(1024, context.settings.settle_max_bytes // _WINDOWS)

    def place(connection: Connection, _: Claim) -> Placed:
        members = members_within(body_windows(connection, taken.id, window_bytes))
        attempts = taken.attempts - 1
        if taken.order_count > 1 and not taken.options.atomic:
            orders = cut_up(connection, taken, members)
            log.error("slice_cut_up", slice=taken.number, attempts=attempts, orders=orders)
            return []
        log.error(
            "order_given_up", position=taken.first_position, attempts=attempts, orders=taken.order_count
        )
        return [(taken, [(_key_of(member), given_up(attempts)) for member in members])]

    return Work([taken], place)


def _key_of(member: bytes) -> str:
    return next(iter(msgspec.json.decode(b"{%b}" % member, type=dict[str, msgspec.Raw])))


def members_within(windows: Iterable[bytes]) -> Iterator[bytes]:
    """The members of a JSON object that comes in pieces, each as ``"key":value``, byte for byte.

    The object is one of ours: valid, and with nothing before it. No more than a member and a piece is held.
    """
    held, at, depth, in_string = bytearray(), 0, 0, False
    for window in windows:
        held += window
        while found := (_STRING_END if in_string else _STRUCTURE).search(held, at):
            mark, at = found[0], found.end()
            if in_string:
                in_string = mark == b"\\"
                at += in_string  # whatever is escaped
            elif mark == b'"':
                in_string = True
            elif mark in {b"{", b"["}:
                depth += 1
                if depth == 1:
                    del held[:at]
                    at = 0
            elif mark in {b"}", b"]"}:
                depth -= 1
            if not in_string and ((mark == b"," and depth == 1) or depth == 0):
                if member := bytes(held[: found.start()]).strip():
                    yield member
                del held[:at]
                at = 0
        at = max(at, len(held))
