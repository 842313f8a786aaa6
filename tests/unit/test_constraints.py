"""What the README's commands install is what was tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINNED = dict(line.split("==") for line in LINES if not line.startswith("#"))


def _required() -> set[str]:
    extras = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(requirement for extra in extras for requirement in extra)]
    names = [re.match(r"[\w.-]+", requirement) for requirement in wanted]
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name}


def test_everything_that_is_required_is_pinned() -> None:
    assert not _required() - set(PINNED)


def test_celery_kombu_and_redis_are_of_versions_that_survive_restarts_of_redis() -> None:
    assert {name: PINNED[name] for name in ("celery", "kombu", "redis")} == {
        "celery": "5.6.3",
        "kombu": "5.6.2",
        "redis": "6.4.0",
    }


def test_constraints_are_names_and_exact_versions_only() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.+!]+", line) for line in LINES if not line.startswith("#"))
