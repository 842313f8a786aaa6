"""What the tests share is in tests/support, and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def _named(path: Path) -> set[str]:
    """The modules of tests that a file imports, type-only imports included."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {module for module in named if module.startswith("tests.")}


@pytest.mark.parametrize("folder", ["support", "integration"])
def test_integration_tests_share_nothing_but_support(folder: str) -> None:
    foreign = {
        f"{path.relative_to(TESTS)} imports {module}"
        for path in sorted((TESTS / folder).rglob("*.py"))
        for module in _named(path)
        if not module.startswith("tests.support.")
    }

    assert not foreign


def test_faults_share_nothing_with_integration_tests_but_support() -> None:
    foreign = {
        f"{path.relative_to(TESTS)} imports {module}"
        for path in sorted((TESTS / "faults").rglob("*.py"))
        for module in _named(path)
        if not module.startswith(("tests.support.", "tests.faults."))
    }

    assert not foreign
