"""What the tests share is in tests/support and in conftest.py, and lies where the source lies."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]
PROGRAMS = ("tests.faults.", "tests.hostile.", "tests.house.", "tests.mutants.")
"""They have tests of their own. What the house measures of the source, any test may ask for."""


def _files(folder: str) -> list[Path]:
    return sorted((TESTS / folder).rglob("*.py"))


def _named(path: Path) -> Iterator[str]:
    """The modules of tests that a file imports, type-only imports included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name.startswith("tests."))


def _foreign(folder: str, *may_name: str) -> list[str]:
    return [
        f"{path.relative_to(TESTS)} imports {module}"
        for path in _files(folder)
        for module in _named(path)
        if not module.startswith(("tests.support.", *may_name))
    ]


@pytest.mark.parametrize("folder", ["support", "integration"])
def test_integration_tests_share_nothing_but_support(folder: str) -> None:
    assert _foreign(folder, "tests.house.") == []


def test_faults_share_nothing_with_integration_tests_but_support() -> None:
    assert _foreign("faults", "tests.faults.") == []


@pytest.mark.parametrize("folder", ["unit", "e2e"])
def test_no_test_borrows_from_another(folder: str) -> None:
    assert _foreign(folder, *PROGRAMS) == []


def test_unit_tests_lie_in_the_folders_of_the_source() -> None:
    unit = TESTS / "unit"
    folders = {path.parent.relative_to(unit) for path in _files("unit")}

    assert [str(folder) for folder in sorted(folders) if not (TESTS.parent / folder).is_dir()] == []


def _fixtures(path: Path) -> dict[str, ast.FunctionDef]:
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        node.name: node
        for node in nodes
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(one).startswith("pytest.fixture") for one in node.decorator_list)
    }


def test_a_module_adds_to_a_shared_fixture_and_makes_none_of_its_own() -> None:
    """``shop`` takes ``shop``, or another kind of it such as ``module_shop``."""
    shared = _fixtures(TESTS / "conftest.py") | _fixtures(TESTS / "integration" / "conftest.py")

    anew = [
        f"{path.name} makes {name}"
        for path in _files("integration")
        if path.name != "conftest.py"
        for name, fixture in _fixtures(path).items()
        if name in shared
        and not any(arg.arg in shared and arg.arg.endswith(name) for arg in fixture.args.args)
    ]

    assert anew == []


def test_no_two_modules_have_the_same_fixture() -> None:
    seen: dict[str, list[str]] = {}
    for path in _files("integration") + _files("e2e"):
        for name, fixture in _fixtures(path).items():
            made = f"{name}({ast.unparse(fixture.args)}): {[ast.unparse(one) for one in fixture.body]}"
            seen.setdefault(made, []).append(path.name)

    assert {made: names for made, names in seen.items() if len(names) > 1} == {}


@pytest.mark.parametrize("name", ["order", "line", "ADDRESS"])
def test_an_order_and_what_is_in_it_are_made_in_one_place(name: str) -> None:
    places = [
        str(path.relative_to(TESTS))
        for path in _files(".")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if name in _defined(node)
    ]

    assert places == ["support/orders.py"]


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets += [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def test_nothing_waits_by_sleeping_but_until_and_pause_which_says_why() -> None:
    sleepers = [
        str(path.relative_to(TESTS))
        for path in _files(".")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]

    assert set(sleepers) == {"support/until.py"}
