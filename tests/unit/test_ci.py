"""What CI runs can be named, one verb at a time; and what is run before a commit is what CI runs."""

from __future__ import annotations

import re
import subprocess

import yaml

from tests.house.tree import ROOT, read

SCRIPT = read(".ci/run")
VERBS = ["tests", "faults", "hostile", "lint", "types", "generators", "audit", "demo"]


def ci(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / ".ci/run"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_help_names_every_verb_and_each_has_its_function() -> None:
    told = ci("--help")

    assert told.returncode == 0
    assert re.findall(r"^  (\w+)  ", told.stdout, re.MULTILINE) == VERBS
    assert re.findall(r"^run_(\w+)\(\)", SCRIPT, re.MULTILINE) == VERBS


def test_a_word_that_is_no_verb_is_told_before_anything_is_run() -> None:
    told = ci("lint", "polish")

    assert (told.returncode, told.stdout) == (2, "")
    assert "polish" in told.stderr
    assert all(verb in told.stderr for verb in VERBS)


def test_what_is_run_before_a_commit_comes_from_the_environment_and_is_fetched_from_nowhere() -> None:
    config = yaml.safe_load(read(".pre-commit-config.yaml"))
    hooks = {hook["id"]: hook for repository in config["repos"] for hook in repository["hooks"]}

    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    assert {hook["language"] for hook in hooks.values()} == {"system"}
    assert {" ".join(hook["entry"].split()[:2]) for hook in hooks.values()} == {
        ".venv/bin/ruff check",
        ".venv/bin/ruff format",
        ".venv/bin/mypy",
    }
    assert hooks["mypy"]["stages"] == ["pre-push"]
