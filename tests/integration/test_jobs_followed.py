"""A job is waited for cheaply: tags, waits and event streams, one reading for all (contract §5)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from api.context import app_context_of
from api.jobs import event_stream
from shared.events import JobEvents
from tests.support.api import ApiClient
from tests.support.until import pause, until

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

EVENTS = "text/event-stream"
# Longer than anything here takes, and the tests do not wait for it.
PATIENT = "wait=30"


@pytest.fixture
def api(api: ApiClient) -> ApiClient:
    return api.with_settings(slice_max_orders=1, sync_max_orders=1, database_pool_size=4)


def new_job(api: ApiClient, orders: int = 3) -> str:
    return api.post({f"k{n}": {} for n in range(orders)}, Prefer="respond-async").headers["Location"]


def ask(api: ApiClient, path: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.get(path, headers={"API-Authorization": api.key, **named}, buffered=False)


def decide_one(api: ApiClient, path: str, *, announced: bool = True) -> None:
    """Decide one order of a job, and tell of it."""
    slice_id, job_id, number = api.open_slices(path.rpartition("/")[2])[0]
    api.close_slice(slice_id)
    if announced:
        JobEvents(api.settings).announce(job_id, number)


@contextmanager
def asked_meanwhile(api: ApiClient, path: str, **headers: str) -> Iterator[list[TestResponse]]:
    """Ask in a thread; the answer is there after the block."""
    found: list[TestResponse] = []
    thread = threading.Thread(target=lambda: found.append(ask(api, path, **headers)))
    thread.start()
    until(lambda: followed_count(api) > 0, "it is followed")
    yield found
    thread.join(30)


def followed_count(api: ApiClient) -> int:
    return app_context_of(api.apps[-1]).listener.waiting_count()


@dataclass
class Events:
    """A stream that is read in a thread of its own."""

    response: TestResponse
    seen: list[dict[str, str]] = field(default_factory=list)

    def read(self) -> None:
        unread = ""
        for piece in self.response.iter_encoded():
            unread += piece.decode()
            *whole, unread = unread.split("\n\n")
            for one in whole:
                fields = dict(line.split(": ", 1) for line in one.splitlines() if ": " in line)
                self.seen.append(fields)
        self.response.close()

    def jobs(self) -> list[dict[str, Any]]:
        return [json.loads(one["data"]) for one in self.seen if "data" in one]


@contextmanager
def streamed(api: ApiClient, path: str, **headers: str) -> Iterator[Events]:
    """Read a job's events within the block, to their end."""
    events = Events(ask(api, path, Accept=EVENTS, **headers))
    assert events.response.status_code == 200, events.response.data
    thread = threading.Thread(target=events.read)
    thread.start()
    try:
        yield events
    finally:
        thread.join(30)
    assert not thread.is_alive()


def has_told(events: Events, decided: int) -> bool:
    return [job["ok"] for job in events.jobs()][-1:] == [decided]


def all_have_told(streams: list[Events], decided: int) -> bool:
    return all(has_told(one, decided) for one in streams)


def test_a_job_that_has_not_changed_is_304_and_its_tag_changes_with_whatever_is_told(api: ApiClient) -> None:
    path = new_job(api)
    first = ask(api, path)

    unchanged = ask(api, path, If_None_Match=first.headers["ETag"])
    weak = ask(api, path, If_None_Match=f'"other", W/{first.headers["ETag"]}')
    decide_one(api, path)
    changed = ask(api, path, If_None_Match=first.headers["ETag"])

    assert (unchanged.status_code, weak.status_code, changed.status_code) == (304, 304, 200)
    assert unchanged.data == b""
    assert unchanged.headers["ETag"] == first.headers["ETag"] != changed.headers["ETag"]
    assert json.loads(changed.data)["ok"] == 1


def test_two_readings_of_the_same_have_the_same_tag_and_two_jobs_never(api: ApiClient) -> None:
    one, other = new_job(api), new_job(api)

    tags = [ask(api, path).headers["ETag"] for path in (one, one, other)]

    assert tags[0] == tags[1] != tags[2]


@pytest.mark.parametrize("tags", ['"of another"', "no tag at all", '"x", ' * 500, ""])
def test_tags_that_are_none_of_the_jobs_are_as_good_as_none(api: ApiClient, tags: str) -> None:
    path = new_job(api, orders=1)
    decide_one(api, path)

    found = ask(api, path, If_None_Match=tags, Prefer="wait=5")

    assert (found.status_code, json.loads(found.data)["done"]) == (200, True)


def test_a_wait_ends_when_the_job_is_done(api: ApiClient) -> None:
    path = new_job(api, orders=2)

    with asked_meanwhile(api, path, Prefer=PATIENT) as found:
        decide_one(api, path)
        pause(0.3, "an order of two is decided, and nobody is told")
        assert not found
        decide_one(api, path)

    assert json.loads(found[0].data)["done"]
    assert found[0].headers["Preference-Applied"] == "wait=30"


def test_with_a_tag_a_wait_ends_when_the_job_has_changed(api: ApiClient) -> None:
    path = new_job(api, orders=2)
    tag = ask(api, path).headers["ETag"]

    with asked_meanwhile(api, path, Prefer=PATIENT, If_None_Match=tag) as found:
        decide_one(api, path)

    assert found[0].status_code == 200
    assert json.loads(found[0].data)["ok"] == 1
    assert found[0].headers["ETag"] != tag


def test_with_an_older_tag_nothing_is_waited_for(api: ApiClient) -> None:
    path = new_job(api, orders=2)
    tag = ask(api, path).headers["ETag"]
    decide_one(api, path)

    found = ask(api, path, Prefer=PATIENT, If_None_Match=tag)

    assert (found.status_code, json.loads(found.data)["ok"]) == (200, 1)


def test_a_wait_that_is_over_is_told_as_the_job_is(api: ApiClient) -> None:
    path = new_job(api)
    tag = ask(api, path).headers["ETag"]

    plain, tagged, none = (
        ask(api, path, Prefer="wait=1"),
        ask(api, path, Prefer="wait=1", If_None_Match=tag),
        ask(api, path, Prefer="wait=0"),
    )

    assert (plain.status_code, tagged.status_code, none.status_code) == (200, 304, 200)
    assert not json.loads(plain.data)["done"]
    assert [one.headers["Preference-Applied"] for one in (plain, tagged, none)] == [
        "wait=1",
        "wait=1",
        "wait=0",
    ]


def test_a_wait_is_no_longer_than_the_setting(api: ApiClient) -> None:
    short = api.with_settings(max_wait_seconds=1, slice_max_orders=1)

    found = ask(short, new_job(short), Prefer="wait=4000")

    assert found.headers["Preference-Applied"] == "wait=1"


def test_a_lost_event_costs_a_moment_and_no_more(api: ApiClient) -> None:
    path = new_job(api, orders=1)

    with asked_meanwhile(api, path, Prefer=PATIENT) as found:
        decide_one(api, path, announced=False)

    assert json.loads(found[0].data)["done"]


def test_a_stream_tells_the_job_as_it_changes_and_ends_with_it(api: ApiClient) -> None:
    path = new_job(api)

    with streamed(api, path) as events:
        for decided in range(3):
            until(partial(has_told, events, decided), "it is told")
            decide_one(api, path)

    named = [(one["event"], json.loads(one["data"])["ok"]) for one in events.seen if "data" in one]
    assert [ok for _, ok in named] == sorted(ok for _, ok in named)
    assert {ok for _, ok in named} == {0, 1, 2, 3}
    assert [name for name, _ in named] == ["progress"] * (len(named) - 1) + ["done"]
    assert events.jobs()[-1] == json.loads(ask(api, path).data)
    assert events.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert followed_count(api) == 0


def test_a_stream_goes_on_where_it_ended_and_skips_nothing(api: ApiClient) -> None:
    path = new_job(api, orders=2)
    tag = ask(api, path).headers["ETag"].strip('"')
    with streamed(api, path, Last_Event_ID=tag) as events:
        until(lambda: followed_count(api) > 0, "it is followed")
        decide_one(api, path)
        until(lambda: len(events.jobs()) > 0, "it is told")
        decide_one(api, path)

    assert [job["ok"] for job in events.jobs()] == [1, 2]
    ended = events.seen[-1]["id"]
    assert ask(api, path, Accept=EVENTS, Last_Event_ID=ended).status_code == 204


@pytest.mark.parametrize("last", ["", "x", "ä".encode().decode("latin-1"), "0" * 3_000])
def test_an_id_of_no_event_of_the_job_begins_with_the_job_as_it_is(api: ApiClient, last: str) -> None:
    path, other = new_job(api, orders=1), new_job(api, orders=1)
    decide_one(api, path)
    foreign = ask(api, other).headers["ETag"].strip('"')

    for sent in (last, foreign):
        with streamed(api, path, Last_Event_ID=sent) as events:
            pass
        assert [job["done"] for job in events.jobs()] == [True]


def test_a_stream_of_a_job_that_does_not_change_has_a_comment_every_15_seconds(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vars(event_stream)["_COMMENT_SECONDS"] == 15
    monkeypatch.setattr(event_stream, "_COMMENT_SECONDS", 0.5)
    short = api.with_settings(follow_seconds_max=4, slice_max_orders=1)

    with streamed(short, new_job(short)) as events:
        pass

    # A line that begins with a colon, and no event: an EventSource shows it to nobody.
    assert events.seen.count({}) >= 2
    assert len(events.jobs()) == 1


def test_a_stream_ends_after_its_time_and_its_client_comes_again(api: ApiClient) -> None:
    short = api.with_settings(follow_seconds_max=1, slice_max_orders=1)

    with streamed(short, new_job(short)) as events:
        pass

    assert events.seen[0] == {"retry": "1000"}
    assert [job["done"] for job in events.jobs()] == [False]


def test_a_job_that_is_no_more_ends_its_streams_and_is_404_to_who_waits(api: ApiClient) -> None:
    path = new_job(api)
    job_id = UUID(path.rpartition("/")[2])

    with streamed(api, path), asked_meanwhile(api, path, Prefer=PATIENT) as found:
        until(lambda: app_context_of(api.apps[-1]).capacity.followers.held_count() == 2, "both follow")
        with api.engine.begin() as connection:
            connection.execute(text("DELETE FROM slices WHERE job_id = :id"), {"id": job_id})
            connection.execute(text("DELETE FROM jobs WHERE id = :id"), {"id": job_id})

    assert found[0].status_code == 404


def test_a_process_that_stops_ends_streams_and_waits(api: ApiClient) -> None:
    path = new_job(api)

    with streamed(api, path) as events, asked_meanwhile(api, path, Prefer=PATIENT) as found:
        until(lambda: has_told(events, 0), "it is told")
        app_context_of(api.apps[-1]).shutdown.announce(0)

    assert not events.jobs()[-1]["done"]
    assert found[0].status_code == 200


def test_whoever_finds_no_room_to_follow_is_told_so_and_waiters_keep_their_half(api: ApiClient) -> None:
    narrow = api.with_settings(waiters_max=4, api_threads=32, slice_max_orders=1)
    path = new_job(narrow)
    context = app_context_of(narrow.apps[-1])

    with streamed(narrow, path), streamed(narrow, path):
        stream, wait = ask(narrow, path, Accept=EVENTS), ask(narrow, path, Prefer=PATIENT)
        waiting = [narrow.post({"w": {}}, Prefer="wait=1") for _ in range(2)]
        for _ in range(3):
            decide_one(narrow, path)

    assert (stream.status_code, stream.headers["Retry-After"]) == (503, "5")
    assert b"followersMaxPerKey" in stream.data
    assert wait.status_code == 200
    assert "Preference-Applied" not in wait.headers
    assert [one.headers.get("Preference-Applied") for one in waiting] == ["wait=1"] * 2
    assert context.capacity.followers.held_count() == context.capacity.waiters.held_count() == 0


def test_all_followers_of_a_job_cost_one_reading_for_each_change(api: ApiClient) -> None:
    followers, changes = 30, 5
    wide = api.with_settings(slice_max_orders=1, database_pool_size=4, rate_limit_per_minute=0)
    path = new_job(wide, orders=changes)
    statements: list[str] = []
    engine = app_context_of(wide.apps[-1]).engine
    streams = [Events(ask(wide, path, Accept=EVENTS)) for _ in range(followers)]
    with ThreadPoolExecutor(followers) as threads:
        for stream in streams:
            threads.submit(stream.read)
        until(lambda: all(stream.jobs() for stream in streams), "all follow")
        event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
        begun = time.monotonic()
        for decided in range(1, changes + 1):
            decide_one(wide, path)
            until(partial(all_have_told, streams, decided), "all are told")
        seconds = time.monotonic() - begun

    # One for each change, and one a second in case an event was lost; or it came in the middle of a reading.
    assert len(statements) <= 2 * changes + seconds + 1
    assert [len(stream.jobs()) >= 2 for stream in streams] == [True] * followers


def test_a_cancel_is_told_to_who_follows_and_changes_the_tag(api: ApiClient) -> None:
    path = new_job(api)
    tag = ask(api, path).headers["ETag"]

    with (
        streamed(api, path) as events,
        asked_meanwhile(api, path, Prefer=PATIENT, If_None_Match=tag) as found,
    ):
        until(partial(has_told, events, 0), "it is told")
        api.client.post(f"{path}/cancel", headers={"API-Authorization": api.key})

    assert found[0].headers["ETag"] != tag
    assert events.jobs()[-1]["state"] == "cancelled"


def test_a_job_that_was_deleted_ends_its_stream_and_is_410_to_who_comes_again(api: ApiClient) -> None:
    path = new_job(api, orders=1)
    decide_one(api, path)
    with streamed(api, path) as events:
        pass
    api.client.delete(path, headers={"API-Authorization": api.key})

    again = ask(api, path, Accept=EVENTS, Last_Event_ID=events.seen[-1]["id"])

    assert again.status_code == 410
