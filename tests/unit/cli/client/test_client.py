"""The client commands, against a small HTTP server that keeps the contract."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from cli.client.connection import ServerConnection
from cli.client.hand_in import batch_key, hand_in
from cli.client.upload import upload_of
from cli.commands.job import job
from cli.commands.results import results
from cli.commands.submit import submit
from cli.errors import NotDoneError
from tests.support.client_program import FINE, GONE, batch_file, last_line, run
from tests.support.small_server import JOB_ID, KEY, Canned, SmallServer, api_error

if TYPE_CHECKING:
    from pathlib import Path


def test_small_batch_writes_its_outcomes_byte_for_byte(server: SmallServer, tmp_path: Path) -> None:
    file = batch_file(tmp_path, {"x123": FINE, "\u0000": FINE})

    result = run(server, submit, file)

    expected = (
        b'{"x123" :{"status" :"ok" , "orders" :[1234]} , "\\u0000" :{"status" :"ok" , "orders" :[1234]}}'
    )
    assert result.stdout_bytes == expected
    assert result.exit_code == 0


def test_large_batch_is_followed_to_its_end(server: SmallServer, tmp_path: Path) -> None:
    file = batch_file(tmp_path, {f"k{number}": FINE for number in range(9)})

    result = run(server, submit, file, "--wait")

    assert list(json.loads(result.stdout)) == [f"k{number}" for number in range(9)]
    assert result.exit_code == 0


def test_rejected_order_ends_with_1_and_is_counted_by_its_code(server: SmallServer, tmp_path: Path) -> None:
    file = batch_file(tmp_path, {"a": FINE, "b": GONE})

    result = run(server, submit, file)

    assert result.exit_code == 1
    assert [line.split() for line in result.stderr.splitlines() if "stock" in line] == [
        ["-2", "1", "stock", "missing"]
    ]


def test_json_leaves_the_table_out(server: SmallServer, tmp_path: Path) -> None:
    result = run(server, submit, batch_file(tmp_path, {"a": GONE}), "--json")

    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["Idempotency-Key", "Job"]
    assert json.loads(result.stdout)["a"]["code"] == -2


def test_batch_that_is_only_handed_in_gives_its_job_id_alone(server: SmallServer, tmp_path: Path) -> None:
    result = run(server, submit, batch_file(tmp_path, {"a": GONE}), "--no-wait")

    assert result.stdout == JOB_ID + "\n"
    assert f"ordermill job {JOB_ID} --watch" in result.stderr
    assert server.seen[0].headers["Prefer"] == "respond-async"
    assert result.exit_code == 0


def test_standard_input_is_posted_as_it_is(server: SmallServer) -> None:
    body = b' {"a" : {"products": []}} '

    result = run(server, submit, "-", stdin=body)

    assert server.seen[0].body == body
    assert server.seen[0].headers["Content-Type"] == "application/json"
    assert result.exit_code == 0


def test_lines_of_json_are_sent_as_such(server: SmallServer, tmp_path: Path) -> None:
    run(server, submit, batch_file(tmp_path, {"a": FINE}, "orders.ndjson"))
    run(server, submit, "--ndjson", "-", stdin=b"{}")

    assert [seen.headers["Content-Type"] for seen in server.seen] == ["application/x-ndjson"] * 2


def test_api_error_is_one_sentence_with_its_request_id(server: SmallServer, tmp_path: Path) -> None:
    server.canned = [api_error(413, "The batch has 7 orders; the limit is 5.")]

    result = run(server, submit, batch_file(tmp_path, {"a": FINE}))

    assert last_line(result) == "Error: The batch has 7 orders; the limit is 5. (HTTP 413, request req-77)"
    assert result.stdout == ""
    assert result.exit_code == 2


def test_proxy_error_page_is_not_shown(server: SmallServer, tmp_path: Path) -> None:
    server.canned = [Canned(500, b"<html>bad</html>")]

    result = run(server, submit, batch_file(tmp_path, {"a": FINE}))

    assert last_line(result) == f"Error: {server.url}/v1/orders answered Internal Server Error. (HTTP 500)"
    assert len(server.seen) == 1


def test_answer_that_is_no_json_is_not_taken_for_outcomes(server: SmallServer, tmp_path: Path) -> None:
    server.canned = [Canned(200, b"It works!")]

    result = run(server, submit, batch_file(tmp_path, {"a": FINE}))

    assert "does not answer as ordermill does" in result.stderr
    assert result.exit_code == 2


def test_lost_answer_is_asked_for_again_as_the_same_batch(server: SmallServer, tmp_path: Path) -> None:
    server.canned = [Canned()]

    result = run(server, submit, batch_file(tmp_path, {"a": FINE}))

    assert result.exit_code == 0
    assert len(server.seen) == 2
    assert len({seen.headers["Idempotency-Key"] for seen in server.seen}) == 1
    assert "gave no answer" in result.stderr


@pytest.mark.parametrize(
    ("given", "way_back"),
    [
        (None, "The same command again finds its job"),
        ("my-key", "with --idempotency-key my-key finds its job"),
    ],
)
def test_batch_whose_answer_stays_lost_is_found_by_its_key(
    server: SmallServer, given: str | None, way_back: str
) -> None:
    server.canned = [Canned() for _ in range(100)]
    pauses: list[float] = []
    upload = upload_of(b"{}", "application/json")

    with (
        ServerConnection(server.url, KEY, lambda _: None, pauses.append) as connection,
        pytest.raises(NotDoneError, match=way_back),
    ):
        hand_in(connection, Console(), upload, batch_key(upload, given, anew=False), wait=True)

    assert 50 < sum(pauses) <= 60


def test_batch_is_sent_under_the_key_that_is_given(server: SmallServer, tmp_path: Path) -> None:
    run(server, submit, batch_file(tmp_path, {"a": FINE}), "--idempotency-key", "monday")

    assert server.seen[0].headers["Idempotency-Key"] == "monday"


def test_a_batch_in_order_is_another_one_than_the_same_file_without(
    server: SmallServer, tmp_path: Path
) -> None:
    file = batch_file(tmp_path, {"a": FINE})

    for options in ([], ["--ordered"], ["--ordered"]):
        assert run(server, submit, file, *options).exit_code == 0

    posted = [seen for seen in server.seen if seen.method == "POST"]
    assert [seen.path for seen in posted] == ["/v1/orders", *["/v1/orders?ordered=true"] * 2]
    plain, ordered, again = (seen.headers["Idempotency-Key"] for seen in posted)
    assert plain != ordered == again


def test_a_batch_is_sent_with_its_options_and_is_another_one_with_others(
    server: SmallServer, tmp_path: Path
) -> None:
    file = batch_file(tmp_path, {"a": FINE})
    options = ["--label", "shop:se", "--label", "day:1", "--reference", "run 42", "--max-failed", "0"]
    options += ["--unique-keys", "--ordered", "--atomic", "--dry-run"]

    for given in (options, options, options[2:], []):
        assert run(server, submit, file, *given).exit_code == 0

    posted = [seen for seen in server.seen if seen.method == "POST"]
    assert posted[0].path == (
        "/v1/orders?validateOnly=true&atomic=true&ordered=true&uniqueKeys=true&maxFailed=0&label=shop%3Ase&label=day%3A1&reference=run+42"
    )
    first, again, other, plain = (seen.headers["Idempotency-Key"] for seen in posted)
    assert first == again
    assert len({first, other, plain}) == 3


def test_a_dry_run_says_that_nothing_was_created(server: SmallServer, tmp_path: Path) -> None:
    file = batch_file(tmp_path, {"a": FINE})

    dry, wet = run(server, submit, file, "--dry-run"), run(server, submit, file)

    assert "Nothing was created: this was a dry run." in " ".join(dry.stderr.split())
    assert "could be created" in dry.stderr
    assert "dry run" not in wet.stderr


def test_a_batch_that_is_to_be_decided_later_is_only_handed_in(server: SmallServer, tmp_path: Path) -> None:
    file = batch_file(tmp_path, {f"k{number}": FINE for number in range(5)})

    result = run(server, submit, file, "--not-before", "2027-01-31T06:00:00+01:00")

    assert (result.stdout, result.exit_code) == (f"{JOB_ID}\n", 0)
    assert server.seen[0].path == "/v1/orders?notBefore=2027-01-31T06%3A00%3A00%2B01%3A00"
    assert server.seen[0].headers["Prefer"] == "respond-async"


def test_busy_server_is_asked_again_with_the_same_idempotency_key(
    server: SmallServer, tmp_path: Path
) -> None:
    server.canned = [api_error(429, "Too fast.", Retry_After="0"), api_error(503, "The database is away.")]

    result = run(server, submit, batch_file(tmp_path, {"a": FINE}))

    assert result.exit_code == 0
    assert len({seen.headers["Idempotency-Key"] for seen in server.seen}) == 1
    assert [seen.body for seen in server.seen] == [server.seen[0].body] * 3
    assert "The database is away. (HTTP 503, request req-77) Trying again in 1 s." in result.stderr


def test_lost_look_at_a_job_is_repeated(server: SmallServer, tmp_path: Path) -> None:
    file = batch_file(tmp_path, {f"k{number}": FINE for number in range(5)})
    run(server, submit, file, "--no-wait")
    server.canned = [Canned(), Canned(502, b"")]

    result = run(server, job, JOB_ID, "--watch")

    assert result.exit_code == 0


def test_server_that_is_not_there_is_named_with_the_way_to_start_one(tmp_path: Path) -> None:
    with SmallServer() as gone:
        pass

    result = run(gone, submit, batch_file(tmp_path, {"a": FINE}))

    assert gone.url in result.stderr
    assert "`ordermill serve` starts one" in result.stderr
    assert result.exit_code == 2


def test_missing_key_is_told_before_anything_is_sent(server: SmallServer, tmp_path: Path) -> None:
    result = run(server, submit, batch_file(tmp_path, {"a": FINE}), key="")

    assert "ORDERMILL_API_KEY" in result.stderr
    assert server.seen == []
    assert result.exit_code == 2


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://[::1"])
def test_url_that_is_none_is_named(server: SmallServer, url: str) -> None:
    result = run(server, job, JOB_ID, "--url", url)

    assert repr(url) in result.stderr
    assert result.exit_code == 2


def test_key_with_a_line_end_is_refused_without_showing_it(server: SmallServer) -> None:
    result = run(server, job, JOB_ID, "--api-key", "om_secret\n")

    assert "om_secret" not in result.output
    assert result.exit_code == 2


def test_running_job_is_shown_and_ends_with_2(server: SmallServer, tmp_path: Path) -> None:
    run(server, submit, batch_file(tmp_path, {"a": GONE, "b": FINE, "c": FINE, "d": FINE}), "--no-wait")

    result = run(server, job, JOB_ID)

    shown = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert shown["state"] == ["running,", "50", "%"]
    assert shown["failed"] == ["1"]
    assert shown["pending"] == ["2"]
    assert result.exit_code == 2


def test_watched_job_ends_with_what_came_of_it(server: SmallServer, tmp_path: Path) -> None:
    run(server, submit, batch_file(tmp_path, {"a": GONE, "b": FINE, "c": FINE, "d": FINE}), "--no-wait")

    result = run(server, job, JOB_ID, "--watch", "--json")

    assert json.loads(result.stdout)["state"] == "partially_succeeded"
    assert result.exit_code == 1


def test_results_of_a_running_job_are_those_that_are_there(server: SmallServer, tmp_path: Path) -> None:
    run(server, submit, batch_file(tmp_path, {"a": GONE, "b": FINE, "c": FINE, "d": FINE}), "--no-wait")

    result = run(server, results, JOB_ID)

    assert list(json.loads(result.stdout)) == ["a", "b"]
    assert result.stderr == "The job is not done: 2 of 4 orders are pending.\n"
    assert result.exit_code == 2


def test_failed_results_leave_the_successes_out(server: SmallServer, tmp_path: Path) -> None:
    run(server, submit, batch_file(tmp_path, {"a": GONE, "b": FINE}))

    result = run(server, results, JOB_ID, "--failed")

    assert json.loads(result.stdout) == {"a": {"status": "no", "code": -2, "msg": "RED-STOOL is gone"}}
    assert result.exit_code == 1


def test_job_id_that_is_none_is_refused_without_asking(server: SmallServer) -> None:
    result = run(server, job, "../limits")

    assert server.seen == []
    assert result.exit_code == 2
