"""What the README says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.routes import routes
from cli.main import COMMANDS
from shared.settings import Settings, setting_names
from tests.house.tree import files

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def between(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert found, f"README.md has no <!-- {name} --> … <!-- end -->"
    return found[1].strip()


def settings_table() -> str:
    defaults = Settings()
    rows = [
        f"| `{name}` | {_shown(getattr(defaults, name.lower()))} | {meaning} |"
        for name, meaning in setting_names().items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _shown(default: object) -> str:
    return f"`{default}`" if default != "" else ""


def test_settings_table_is_that_of_the_settings() -> None:
    assert between("settings") == settings_table(), f"put this into README.md:\n{settings_table()}"


@pytest.mark.parametrize("name", ["demo", "test"])
def test_first_commands_are_one_line_each_and_need_no_root(name: str) -> None:
    fence, line, end = between(f"command: {name}").splitlines()

    assert (fence, end) == ("```sh", "```")
    assert line.startswith("python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt ")
    assert not re.search(r"\b(sudo|apt|brew|docker)\b", line)


def test_every_command_that_is_named_exists() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    named = {name for block in blocks for name in re.findall(r"\bordermill ([a-z]+)", block)}

    assert {"serve", "demo", "submit", "job", "results", "catalog", "keys"} <= named
    assert not named - set(COMMANDS)


@pytest.mark.parametrize("page", ["README.md", "docs/contract.md"])
def test_every_request_that_the_api_takes_is_named_and_no_other(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {f"{method} {path}" for method, path in re.findall(r"\b([A-Z]+) (/v1/[\w/<>]+)", text)}
    placeholders = {"<job_id>": "<id>", "<int:number>": "<number>"}

    taken = set()
    for route in routes():
        path = re.sub(r"<[^>]+>", lambda found: placeholders[found[0]], route.rule)
        taken |= {f"{route.method} {path}"} if path.startswith("/v1/") else set()

    assert sorted(taken - named) == []
    assert sorted(named - taken) == []


def test_the_contract_names_every_command() -> None:
    _, _, rest = (ROOT / "docs/contract.md").read_text(encoding="utf-8").partition("\n## 8. ")
    section, _, _ = rest.partition("\n## ")
    named = set(re.findall(r"`([a-z]+)\b", section))

    assert sorted(set(COMMANDS) - named) == []


def test_every_file_that_is_linked_exists() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", README)

    assert linked
    assert not [name for name in linked if not (ROOT / name).exists()]


def test_the_map_names_every_folder_and_no_other() -> None:
    there = {path.rpartition("/")[0] for path in files() if "/" in path}
    named = {name.rstrip("/") for name in re.findall(r"`([\w./]+/)`", between("map"))}

    # What holds nothing but folders needs no line.
    assert sorted(there - named - {"tests"}) == []
    assert sorted(named - there) == []
