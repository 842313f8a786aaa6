"""Faults on our side: told as such, and never more than is known."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from api.app import close_app, create_app
from shared.job_events import JobEvents
from tests.integration.api_door import Door, open_door
from tests.integration.placed_orders import told
from tests.until import until

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from shared.settings import Settings


@pytest.fixture
def door(settings: Settings) -> Iterator[Door]:
    with open_door(settings) as made:
        yield made


def make_every_commit_of_a_job_die(door: Door) -> None:
    with door.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER die_at_commit AFTER INSERT ON jobs INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION die()"
            )
        )


def test_a_commit_that_nobody_knows_of_is_503_with_where_to_ask(door: Door) -> None:
    make_every_commit_of_a_job_die(door)

    response = door.post({"a": {}})

    assert response.status_code == 503
    assert response.json is not None
    assert "whether it was is not known" in response.json["msg"]
    assert response.headers["Location"] in response.json["msg"]
    assert int(response.headers["Retry-After"]) > 0
    assert door.get(response.headers["Location"]).status_code == 404


def test_outcomes_that_cannot_be_read_while_somebody_waits_end_neither_the_wait_nor_the_promise(
    door: Door,
) -> None:
    impatient = door.with_settings(lock_limit_seconds=1)
    answers: list[TestResponse] = []
    asking = threading.Thread(target=lambda: answers.append(impatient.post({"a": {}}, Prefer="wait=20")))

    with capture_logs() as logged:
        asking.start()
        until(lambda: len(door.open_slices()) == 1, "it is promised")
        ((slice_id, job_id, number),) = door.open_slices()
        with door.engine.begin() as connection:
            connection.execute(text("LOCK TABLE slices"))
            until(lambda: any(line["event"] == "outcomes_not_read" for line in logged), "it looks in vain")
        door.close_slice(slice_id)
        JobEvents(door.settings).announce(job_id, number)
        asking.join()

    assert answers[0].status_code == 200
    assert told(answers[0]) == {"a": {"status": "ok", "orders": [slice_id]}}


def test_a_route_without_access_is_not_answered_but_500_with_the_request_id(settings: Settings) -> None:
    app = create_app(settings)
    app.add_url_rule("/boom", "boom", lambda: "never shown")

    response = app.test_client().get("/boom", headers={"X-Request-ID": "r-500"})
    close_app(app)

    assert response.status_code == 500
    assert response.json is not None
    assert response.json["status"] == "no"
    assert "r-500" in response.json["msg"]
    assert response.headers["X-Request-ID"] == "r-500"
    assert b"never shown" not in response.data
    assert b"boom" not in response.data
