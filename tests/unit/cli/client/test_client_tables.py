"""What the client reads out of answers and how it shows it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from cli.client.outcomes import (
    Outcome,
    counts_by_code,
    exit_code,
    job_exit_code,
    read_job,
    read_outcomes,
)
from cli.client.tables import counts_table, job_table, outcomes_table

if TYPE_CHECKING:
    from rich.table import Table

OK = Outcome("ok")


def shown(table: Table) -> list[list[str]]:
    out = io.StringIO()
    Console(file=out, width=100).print(table)
    return [line.split() for line in out.getvalue().splitlines()]


def job_answer(state: str, **counts: int) -> bytes:
    numbers = {"total": 4, "pending": 0, "ok": 4, "failed": 0, "cancelled": 0, **counts}
    fields = ", ".join(f'"{name}": {number}' for name, number in numbers.items())
    done = "false" if state in {"queued", "running"} else "true"
    return (
        f'{{"id": "j", "state": "{state}", "done": {done}, {fields}, "percent": 61.5, "codes": {{"-7": 2}}, '
        f'"createdAt": "2027-01-05T10:00:00Z", "startedAt": null, "links": {{}}, "new": 1}}'
    ).encode()


def test_counts_begin_with_successes_and_follow_the_codes() -> None:
    outcomes = {"a": Outcome("no", -7), "b": OK, "c": Outcome("no", -2), "d": OK}

    assert list(counts_by_code(outcomes).items()) == [(0, 2), (-2, 1), (-7, 1)]


def test_counts_table_adds_up() -> None:
    lines = shown(counts_table({0: 1_990, -2: 10}))

    assert ["ok", "1,990", "created", "or", "prepared"] in lines
    assert ["-2", "10", "stock", "missing"] in lines
    assert ["all", "2,000"] in lines


def test_batch_of_no_orders_is_a_success() -> None:
    assert exit_code(read_outcomes(b"{}")) == 0


def test_one_rejection_makes_the_exit_code_1() -> None:
    assert exit_code({"a": OK, "b": Outcome("no", -4)}) == 1


def test_exit_code_of_a_job_tells_its_state() -> None:
    assert job_exit_code(read_job(job_answer("succeeded"))) == 0
    assert job_exit_code(read_job(job_answer("running"))) == 2
    assert job_exit_code(read_job(job_answer("partially_succeeded", ok=3, failed=1))) == 1
    assert job_exit_code(read_job(job_answer("cancelled", ok=3, cancelled=1))) == 1


def test_job_table_names_counts_codes_and_times() -> None:
    lines = shown(job_table(read_job(job_answer("partially_succeeded", ok=2, failed=2))))

    assert ["state", "partially", "succeeded,", "61.5", "%"] in lines
    assert ["code", "-7", "2", "general,", "see", "the", "message"] in lines
    assert ["created", "2027-01-05T10:00:00Z"] in lines
    assert not any(line[:1] == ["started"] for line in lines)


def test_text_of_a_client_cannot_style_or_steer_the_terminal() -> None:
    outcomes = {"[red]\x1b[2J": Outcome("no", -7, "line\nbreak"), "": OK}

    lines = shown(outcomes_table(outcomes))

    assert ["[red]\\x1b[2J", "-7", "line\\nbreak"] in lines
    assert ['""', "ok"] in lines
