"""submit, the same file again: it is known by its content, and the job that is there is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.client.upload import upload_of
from cli.commands.submit import submit
from cli.errors import NotDoneError
from tests.support.client_program import FINE, GONE, batch_file, last_line, run
from tests.support.small_server import JOB_ID, SmallServer, api_error

if TYPE_CHECKING:
    from pathlib import Path

FEW = {"a": FINE, "b": GONE}
MANY = {f"k{number}": FINE for number in range(9)}


def keys(server: SmallServer) -> list[str]:
    """The Idempotency-Keys of the batches that came, in order."""
    return [seen.headers["Idempotency-Key"] for seen in server.seen if seen.method == "POST"]


@pytest.mark.parametrize("options", [(), ("--no-wait",), ("--json",), ("--no-wait", "--json")])
@pytest.mark.parametrize("batch", [FEW, MANY, {}], ids=["few", "many", "none"])
def test_same_file_again_ends_as_the_first_time_and_tells_that_the_job_was_there(
    server: SmallServer, tmp_path: Path, batch: dict[str, object], options: tuple[str, ...]
) -> None:
    file = batch_file(tmp_path, batch)
    first = run(server, submit, file, *options)

    again = run(server, submit, file, *options)

    assert (again.stdout_bytes, again.exit_code) == (first.stdout_bytes, first.exit_code)
    assert again.exit_code == (1 if batch is FEW and "--no-wait" not in options else 0)
    assert "handed in before" in again.stderr
    assert "--again makes a new one" in again.stderr
    assert "handed in before" not in first.stderr
    assert len(set(keys(server))) == 1


def test_what_is_handed_in_again_when_it_is_done_gives_its_id_and_not_its_outcomes(
    server: SmallServer, tmp_path: Path
) -> None:
    file = batch_file(tmp_path, FEW)
    run(server, submit, file)

    again = run(server, submit, file, "--no-wait")

    assert again.stdout == JOB_ID + "\n"
    assert again.exit_code == 0


def test_again_makes_a_new_job_under_a_key_that_is_told(server: SmallServer, tmp_path: Path) -> None:
    file = batch_file(tmp_path, FEW)

    results = [run(server, submit, file, *options) for options in ((), ("--again",), ("--again",))]

    assert len(set(keys(server))) == 3
    assert [key in result.stderr for key, result in zip(keys(server), results, strict=True)] == [True] * 3
    assert not any("handed in before" in result.stderr for result in results)


def test_key_is_that_of_the_content_and_of_what_is_asked_and_not_of_the_name(
    server: SmallServer, tmp_path: Path
) -> None:
    run(server, submit, batch_file(tmp_path, {}))
    run(server, submit, batch_file(tmp_path, {}, "copy.json"), "--no-wait", "--json")
    run(server, submit, "-", stdin=b"{}")
    run(server, submit, batch_file(tmp_path, {}), "--ndjson")
    run(server, submit, "-", stdin=b"{ }")

    one, copy, piped, lines, other_bytes = keys(server)
    assert one == copy == piped
    assert len({one, lines, other_bytes}) == 3


def test_key_and_job_are_told_before_anybody_waits(server: SmallServer, tmp_path: Path) -> None:
    result = run(server, submit, batch_file(tmp_path, MANY))

    assert result.stderr.splitlines()[:2] == [f"Idempotency-Key: {keys(server)[0]}", f"Job: {JOB_ID}"]


def test_job_that_has_expired_is_told_with_the_way_to_a_new_one(server: SmallServer, tmp_path: Path) -> None:
    server.canned = [api_error(410, "The job has expired.")]

    result = run(server, submit, batch_file(tmp_path, FEW))

    assert "The job has expired. (HTTP 410, request req-77)" in last_line(result)
    assert "--again makes a new one, with every order once more" in last_line(result)
    assert result.exit_code == 2


def test_a_key_of_ones_own_and_a_new_one_are_not_both_meant(server: SmallServer, tmp_path: Path) -> None:
    result = run(server, submit, batch_file(tmp_path, FEW), "--again", "--idempotency-key", "monday")

    assert "not both" in result.stderr
    assert (server.seen, result.exit_code) == ([], 2)


@pytest.mark.parametrize("key", ["", "må", "two\nlines"])
def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(
    server: SmallServer, tmp_path: Path, key: str
) -> None:
    result = run(server, submit, batch_file(tmp_path, FEW), "--idempotency-key", key)

    assert "printable ASCII" in result.stderr
    assert (server.seen, result.exit_code) == ([], 2)


@pytest.mark.parametrize("size_bytes", [10, 700_000])
def test_a_file_that_changes_while_it_is_sent_is_never_sent_whole(tmp_path: Path, size_bytes: int) -> None:
    file = tmp_path / "orders.json"
    file.write_bytes(b"a" * size_bytes)
    upload = upload_of(file, "application/json")
    file.write_bytes(b"a" * (size_bytes - 1) + b"b")
    sent: list[bytes] = []

    with pytest.raises(NotDoneError, match="changed while it was sent"):
        sent.extend(upload.chunks(lambda _: None))

    assert len(b"".join(sent)) < size_bytes


def test_what_was_added_to_a_file_since_is_not_part_of_what_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "orders.ndjson"
    file.write_bytes(b"line\n")
    upload = upload_of(file, "application/x-ndjson")
    with file.open("ab") as appended:
        appended.write(b"another\n")

    assert b"".join(upload.chunks(lambda _: None)) == b"line\n"
