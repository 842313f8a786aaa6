"""Messages that no part of ours would send, put into a queue as somebody might; and doubles of real ones."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from shared.queue.job_queue import KEY_PREFIX, SETTLE_SLICE

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from redis import Redis


def envelope(args: Any, task: str = SETTLE_SLICE, **changes: Any) -> bytes:
    """A message as Celery sends it, with parts of it changed."""
    body = base64.b64encode(json.dumps([args, {}, {}]).encode()).decode()
    number = str(uuid4())
    whole = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": number, "root_id": number, "retries": 0},
        "properties": {
            "correlation_id": number,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "orders.small"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": number,
        },
    }
    return json.dumps({**whole, **changes}).encode()


def harmless(task: str = SETTLE_SLICE) -> dict[str, bytes]:
    """Messages that cannot be understood, and cost a worker no more than a line in its log."""
    return {
        "no such slice": envelope([2**62], task),
        "a number beyond the database's": envelope([2**80], task),
        "no argument": envelope([], task),
        "slices that are none": envelope([[None, "1", True, -1, 2**80]], task),
        "no slices": envelope([[]], task),
        "three arguments": envelope([1, 2, 3], task),
        "text for a number": envelope(["'; DROP TABLE slices; --"], task),
        "a type of kombu's own": envelope([{"__type__": "datetime", "__value__": "now"}], task),
        "no such task": envelope([1], task="ordermill.no_such_task"),
        "pickle": envelope([1], task, **{"content-type": "application/x-python-serialize"}),
        "arguments that are none": envelope(None, task),
    }


def poison_messages(task: str = SETTLE_SLICE) -> dict[str, bytes]:
    """Messages that end the main process of the worker that takes them; the last one again and again."""
    return {
        "no JSON": b"one slice, please",
        "a list": b"[]",
        "no UTF-8": b"\xff\xfe\x00",
        "an empty object": b"{}",
        "a body that is no base64": envelope([1], task, body="!!!"),
    }


def push(client: Redis, queue: str, messages: Sequence[bytes]) -> None:
    """Put messages into a Redis list where workers fetch them next."""
    client.rpush(queue, *messages)


def double_and_shuffle(client: Redis, queue: str, slice_ids: Sequence[int], chance: random.Random) -> None:
    """Send each slice's id one to five times more, alone and in handfuls, among what is waiting."""
    ids = [one for one in slice_ids for _ in range(chance.randint(1, 5))]
    chance.shuffle(ids)
    doubles = []
    while ids:
        handful = [ids.pop() for _ in range(min(len(ids), chance.choice((1, 1, 2, 8))))]
        doubles.append(envelope([handful if len(handful) > 1 else handful[0]]))
    put_among(client, f"{KEY_PREFIX}{queue}", doubles, chance)


def put_among(client: Redis, queue: str, messages: list[bytes], chance: random.Random) -> None:
    """Put messages into a Redis list in any order: some to be fetched next, some last."""
    if not messages:
        return
    chance.shuffle(messages)
    half = len(messages) // 2
    push(client, queue, messages[half:])
    if half:
        client.lpush(queue, *messages[:half])
