"""Faults on our side: told as such, and never more than is known."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sqlalchemy import text
from structlog.testing import capture_logs

from api.app import close_app, create_app
from shared.events import JobEvents
from tests.support.api import ApiClient
from tests.support.placed_orders import told
from tests.support.until import until

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from shared.settings import Settings


def make_every_commit_of_a_job_die(api: ApiClient) -> None:
    with api.engine.begin() as connection:
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


def test_a_commit_that_nobody_knows_of_is_503_with_where_to_ask(api: ApiClient) -> None:
    make_every_commit_of_a_job_die(api)

    response = api.post({"a": {}})

    assert response.status_code == 503
    assert response.json is not None
    assert "whether it was is not known" in response.json["msg"]
    assert response.headers["Location"] in response.json["msg"]
    assert int(response.headers["Retry-After"]) > 0
    assert api.get(response.headers["Location"]).status_code == 404


def test_outcomes_that_cannot_be_read_while_somebody_waits_end_neither_the_wait_nor_the_job(
    api: ApiClient,
) -> None:
    impatient = api.with_settings(lock_limit_seconds=1)
    answers: list[TestResponse] = []
    asking = threading.Thread(target=lambda: answers.append(impatient.post({"a": {}}, Prefer="wait=20")))

    with capture_logs() as logged:
        asking.start()
        until(lambda: len(api.open_slices()) == 1, "it is accepted")
        ((slice_id, job_id, number),) = api.open_slices()
        with api.engine.begin() as connection:
            connection.execute(text("LOCK TABLE slices"))
            until(lambda: any(line["event"] == "outcomes_not_read" for line in logged), "it looks in vain")
        api.close_slice(slice_id)
        JobEvents(api.settings).announce(job_id, number)
        asking.join()

    assert answers[0].status_code == 200
    assert told(answers[0]) == {"a": {"status": "ok", "orders": [slice_id]}}


def test_an_accepted_batch_whose_outcomes_cannot_be_read_is_202_with_where_to_ask(api: ApiClient) -> None:
    answers: list[TestResponse] = []
    asking = threading.Thread(target=lambda: answers.append(api.post({"a": {}}, Prefer="wait=20")))

    asking.start()
    until(lambda: len(api.open_slices()) == 1, "it is accepted")
    with api.engine.begin() as connection:
        # Counts that are no numbers: whoever reads them meets a fault that no waiting mends.
        connection.execute(
            text(
                "UPDATE slices SET closed_at = now(), outcomes = '{}', ok_count = 0,"
                """ codes = '{"-2": "many"}'"""
            )
        )
    asking.join()

    assert answers[0].status_code == 202
    ((job_id,),) = api.rows("SELECT id FROM jobs")
    assert answers[0].headers["Location"] == f"/v1/jobs/{job_id}"
    assert "Retry-After" in answers[0].headers


def test_a_replay_that_cannot_be_read_says_that_the_batch_was_accepted_and_where_to_ask(
    api: ApiClient,
) -> None:
    first = api.post({"a": {}}, Idempotency_Key="k-1", Prefer="respond-async")
    with api.engine.begin() as connection:
        connection.execute(text("ALTER TABLE job_progress RENAME COLUMN ok TO gone"))

    again = api.post({"a": {}}, Idempotency_Key="k-1", Prefer="respond-async")

    assert again.status_code == 503
    assert again.headers["Location"] == first.headers["Location"]
    assert "accepted before" in told(again)["msg"]
    assert "nothing was accepted" not in told(again)["msg"]


def test_counts_whose_commit_nobody_knows_of_are_not_said_to_be_lost(api: ApiClient) -> None:
    with api.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO warehouses (name, threshold) VALUES ('Main', 0);"
                "INSERT INTO items (sku) VALUES ('BRASS-LAMP');"
                "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
                "CREATE CONSTRAINT TRIGGER die_at_commit AFTER INSERT OR UPDATE ON stock INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION die()"
            )
        )

    response = api.client.post(
        "/v1/stock",
        json={"products": [{"product": "BRASS-LAMP", "quantity": 5}]},
        headers={"API-Authorization": api.new_key("Stock", "stock:write")},
    )

    assert response.status_code == 503
    assert "whether it was is not known" in told(response)["msg"]
    assert int(response.headers["Retry-After"]) > 0


def test_a_server_that_cannot_do_it_now_is_503_and_for_somebody_to_look_at(api: ApiClient) -> None:
    with api.engine.begin() as connection:
        connection.execute(text("ALTER TABLE slices RENAME COLUMN dispatches TO gone"))
        connection.execute(text("ALTER TABLE slices RENAME COLUMN first_position TO gone_too"))

    with capture_logs() as logged:
        response = api.post({"a": {}})

    assert response.status_code == 503
    assert "cannot do this now; nothing was accepted" in told(response)["msg"]
    assert any(line["event"] == "database_unable" for line in logged)


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
