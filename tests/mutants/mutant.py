"""A guard broken on purpose, in a copy of the tree, and the tests that must notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS_LIMIT_SECONDS = 100.0
"""A test that hangs has noticed something; unbroken, none takes half of that."""

CAMPAIGN_LIMIT_SECONDS = 300.0
UNBROKEN_LIMIT_SECONDS = 1_200.0
"""For all the tests that are named, one after the other."""

_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"
)


class CannotMutateError(Exception):
    """A text that a mutant replaces is not there exactly once: the code has moved on, so must the mutant."""


@dataclass(frozen=True)
class Change:
    """One text in one file, and what stands in its place."""

    path: str
    old: str
    new: str

    def apply(self, tree: Path) -> None:
        """Make it. Raises CannotMutateError."""
        file = tree / self.path
        file.write_text(self.applied(file.read_text(encoding="utf-8")), encoding="utf-8")

    def applied(self, source: str) -> str:
        """Give the source with the change made. Raises CannotMutateError."""
        if source.count(self.old) != 1:
            raise CannotMutateError(f"{self.path} holds this {source.count(self.old)} times: {self.old!r}")
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """What is broken, and by which tests it must be found: pytest's names, or words for the campaign."""

    name: str
    changes: Sequence[Change]
    tests: Sequence[str] = ()
    campaign: Sequence[str] = ()

    def commands(self) -> Iterator[tuple[list[str], float]]:
        """What is run, one after the other, until something is found; each with its limit in seconds."""
        if self.tests:
            options = ["-n0", "-x", "-q", "-m", "", "-p", "no:cacheprovider"]
            yield [sys.executable, "-m", "pytest", *options, *self.tests], TESTS_LIMIT_SECONDS
        if self.campaign:
            yield [sys.executable, "-m", "tests.faults", *self.campaign], CAMPAIGN_LIMIT_SECONDS


@dataclass(frozen=True)
class Run:
    """How the commands ended: found when the first one ended with 1, or did not end in time."""

    found: bool
    seconds: float
    said: str
    broken: bool = False
    """They ended in a way that says nothing of the mutant."""


IMPATIENCE = Change("tests/support/crash_site.py", "HEALING_SECONDS = 60", "HEALING_SECONDS = 20")
"""What is not healed in this time is not healed in a minute either, and most mutants are found by waiting."""


@contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy of the tree as it is now, a little impatient, which is thrown away in the end."""
    with tempfile.TemporaryDirectory(prefix="ordermill-mutant-") as made:
        tree = Path(made, "tree")
        shutil.copytree(ROOT, tree, ignore=_NOT_COPIED)
        IMPATIENCE.apply(tree)
        yield tree


def run(mutant: Mutant, tree: Path, limit_seconds: float = 0.0) -> Run:
    """Run what must notice, on a tree in which the changes have been made; at least that limit for each."""
    begun = time.monotonic()
    for command, seconds in mutant.commands():
        code, said = _run(command, tree, max(seconds, limit_seconds))
        took = time.monotonic() - begun
        if code is None or code == 1:
            return Run(found=True, seconds=took, said="it hung" if code is None else said)
        if code != 0:
            return Run(found=False, seconds=took, said=said, broken=True)
    return Run(found=False, seconds=time.monotonic() - begun, said="")


def _run(command: list[str], tree: Path, limit_seconds: float) -> tuple[int | None, str]:
    """The exit code, or None when it took too long; and the line that tells most."""
    environment = {
        **os.environ,
        # Before an installed ordermill, which is the one that nobody has broken.
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=tree, env=environment, stdout=output, stderr=output)
        try:
            code = process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            return None, ""
        output.seek(0)
        return code, _told(output.read())


def _told(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR", "broken "))]
    last = output.strip().splitlines()[-1:] or [""]
    return (lines or last)[0].strip()
