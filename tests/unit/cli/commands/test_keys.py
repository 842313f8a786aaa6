"""ordermill keys, as far as it goes without a database."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cli.commands.keys import keys
from shared.domain.scopes import SCOPES, unknown_scopes

NO_DATABASE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}


@pytest.mark.parametrize(
    ("scopes", "sentence"),
    [
        (
            "orders:write,order:read,stok",
            "No such scope: 'order:read', 'stok'. There are: jobs:read-all, orders:",
        ),
        (" , ", "A key needs a scope at least. There are: jobs:read-all"),
    ],
)
def test_unknown_scopes_are_named_with_those_that_there_are(scopes: str, sentence: str) -> None:
    done = CliRunner(env=NO_DATABASE).invoke(keys, ["create", "--name", "n", "--scopes", scopes])

    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr


@pytest.mark.parametrize("name", ["", " ", " shop", "a\nb", "a\x00", "x" * 201])
def test_a_name_is_something_that_can_be_seen(name: str) -> None:
    done = CliRunner(env=NO_DATABASE).invoke(keys, ["create", "--name", name, "--scopes", "orders:read"])

    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot be a key's name" in done.stderr


@pytest.mark.parametrize("days", ["0", "-1", "soon", "36501"])
def test_a_key_expires_in_a_sensible_number_of_days(days: str) -> None:
    words = ["create", "--name", "n", "--scopes", "orders:read", "--expires-in-days", days]

    assert CliRunner(env=NO_DATABASE).invoke(keys, words).exit_code == 2


def test_the_scopes_are_those_of_the_contract() -> None:
    assert {"orders:write", "orders:read", "stock:write", "stock:read", "jobs:read-all"} == SCOPES
    assert unknown_scopes(["b", "orders:read", "a", "b"]) == ["a", "b"]
