"""Which PostgreSQL is at hand, by what its programs say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.servers.data_dir import DataDir
from cli.servers.postgres_programs import find_programs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("version", ["97.4", "97beta1", "97devel", "97.18 (Debian 97.18-0+deb12u1)"])
def test_the_major_version_is_postgresqls_own_and_not_that_of_a_distributions_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("postgres", "initdb"):
        (programs / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")

    assert find_programs(DataDir(tmp_path, None), 97) == (programs, 97)
