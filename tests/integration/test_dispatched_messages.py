"""What the API sends to the workers: numbers, and nothing that a client has written."""

from __future__ import annotations

import base64
import json

import redis

from tests.support.api import ApiClient


def test_messages_hold_slice_ids_whatever_the_orders_hold(api: ApiClient) -> None:
    # kombu would make something of its own out of such an object, and lose the message over this one.
    strange = {"comment": {"__type__": "datetime", "__value__": "SECRET"}}

    one_by_one = api.with_settings(slice_max_orders=1)
    assert one_by_one.post({"SECRET": strange, "b": strange}, Prefer="respond-async").status_code == 202

    with redis.Redis.from_url(api.settings.redis_url) as client:
        messages = client.lrange("ordermill:orders.large", 0, -1)
    bodies = [base64.b64decode(json.loads(message)["body"]) for message in messages]
    ids = [slice_id for slice_id, _, _ in api.open_slices()]
    assert [json.loads(body)[0] for body in bodies] == [[ids]]
    assert not any(b"SECRET" in said for said in (*messages, *bodies))
