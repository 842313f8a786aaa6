"""What the door sends to the workers: numbers, and nothing that a client has written."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
import redis

from tests.support.api import Door, open_door

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings


@pytest.fixture
def door(settings: Settings) -> Iterator[Door]:
    with open_door(settings) as opened:
        yield opened


def test_messages_hold_slice_ids_whatever_the_orders_hold(door: Door) -> None:
    # kombu would make something of its own out of such an object, and lose the message over this one.
    strange = {"comment": {"__type__": "datetime", "__value__": "SECRET"}}

    one_by_one = door.with_settings(slice_max_orders=1)
    assert one_by_one.post({"SECRET": strange, "b": strange}, Prefer="respond-async").status_code == 202

    with redis.Redis.from_url(door.settings.redis_url) as client:
        messages = client.lrange("ordermill:orders.large", 0, -1)
    bodies = [base64.b64decode(json.loads(message)["body"]) for message in messages]
    ids = [slice_id for slice_id, _, _ in door.open_slices()]
    assert [json.loads(body)[0] for body in bodies] == [[ids]]
    assert not any(b"SECRET" in said for said in (*messages, *bodies))
