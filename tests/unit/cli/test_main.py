from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import click
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, PROCESSES, main
from cli.servers.data_dir import ServersError
from shared.persistence.core.errors import DatabaseAwayError, PermanentError
from shared.settings import SettingsError


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists_and_explains_itself(name: str) -> None:
    module = COMMANDS[name][0].partition(":")[0]
    assert find_spec(module) is not None

    shown = CliRunner().invoke(main, [name, "--help"])

    assert shown.exit_code == 0, shown.output
    assert f"main {name}" in shown.output


def test_help_imports_no_command_and_no_library_of_one() -> None:
    program = (
        "import sys\nfrom cli.main import main\n"
        "try: main(['--help'], prog_name='ordermill')\nexcept SystemExit: pass\n"
        "slow = {'sqlalchemy', 'celery', 'flask', 'gunicorn', 'httpx', 'redis'}\n"
        "slow |= {name for name in sys.modules if name.startswith('cli.commands.')}\n"
        "sys.exit(', '.join(sorted(slow & set(sys.modules))))\n"
    )

    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)

    assert done.stderr.strip() == ""
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("role", ["worker", "scheduler"])
def test_what_supervises_a_role_holds_no_celery_in_memory(role: str) -> None:
    program = (
        f"import sys, cli.commands.{role}\nsys.exit(' '.join({{'celery', 'sqlalchemy'}} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)

    assert done.stderr.strip() == ""


def test_what_a_supervisor_runs_is_a_command_that_nobody_is_told_of() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output

    for name in PROCESSES:
        assert name not in shown
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_an_unknown_command_is_a_usage_error() -> None:
    shown = CliRunner().invoke(main, ["polish"])

    assert shown.exit_code == 2
    assert "No such command 'polish'" in shown.output


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (SettingsError("MAX_ORDERS is 'x'; it takes a whole number."), "MAX_ORDERS is 'x'"),
        (ServersError("No PostgreSQL is at hand."), "No PostgreSQL is at hand."),
        (DatabaseAwayError("no"), "The database cannot be reached"),
        (PermanentError("UndefinedTable 42P01"), "The database refused: UndefinedTable 42P01."),
    ],
)
def test_what_an_operator_can_mend_is_one_sentence_and_exit_code_2(
    fault: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def fails() -> None:
        raise fault

    monkeypatch.setattr(sys.modules[__name__], "fails", fails, raising=False)
    monkeypatch.setitem(COMMANDS, "fails", (f"{__name__}:fails", ""))

    shown = CliRunner().invoke(main, ["fails"])

    assert shown.exit_code == 2
    assert shown.output.startswith(f"Error: {sentence}")
    assert "Traceback" not in shown.output


@pytest.mark.parametrize("role", ["api", "worker", "scheduler"])
def test_a_role_without_servers_says_which_variables_it_needs(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)

    shown = CliRunner().invoke(main, [role])

    assert shown.exit_code == 2
    assert "needs DATABASE_URL and REDIS_URL" in shown.output
